import WireFormat

/// Where a page ended: names its list and the last row's place in the list's order. As a text it is URL-safe and, to
/// clients, opaque.
///
/// A cursor says where to go on, not how many rows to skip: rows that are added meanwhile are neither repeated nor
/// skipped. A client can forge one; it then gets another page of the same list, or a 422.
public struct PageCursor: Sendable, Hashable {
  public var list: String
  public var parts: [String]

  public init(list: String, parts: [String]) {
    self.list = list
    self.parts = parts
  }

  public init(list: String, position: Int64) {
    self.init(list: list, parts: ["\(position)"])
  }

  /// The first part as a number; nil where it is none.
  public var position: Int64? { parts.first.flatMap { Int64($0) } }

  /// For `next_cursor` and `?cursor=`.
  public var text: String {
    Base64URL.encoded(Array(([list] + parts).joined(separator: Self.separator).utf8))
  }

  /// Reads what ``text`` wrote.
  ///
  /// - Returns: nil for anything else, and for a cursor of another list.
  public init?(_ text: String, of list: String) {
    guard text.utf8.count <= 1024, let bytes = Base64URL.decoded(text),
      let content = String(validating: bytes, as: UTF8.self)
    else { return nil }
    let fields = content.split(separator: Self.separator, omittingEmptySubsequences: false).map(String.init)
    guard fields.count > 1, fields[0] == list else { return nil }
    self.init(list: list, parts: Array(fields.dropFirst()))
  }

  /// A character that no identifier has.
  private static let separator = "\u{1F}"
}

/// A page of a list: `{"orders":[...],"next_cursor":"..."}`; the cursor is null at the end.
public struct Page<Element: JSONEncodable>: JSONEncodable {
  public var name: StaticString
  public var elements: [Element]
  public var next: PageCursor?

  public init(_ name: StaticString, _ elements: [Element], next: PageCursor?) {
    self.name = name
    self.elements = elements
    self.next = next
  }

  public func write(to json: inout JSONWriter) {
    json.object { writeMembers(to: &$0) }
  }

  func writeMembers(to json: inout JSONWriter) {
    json.member(name, elements)
    json.member("next_cursor", next?.text)
  }
}
