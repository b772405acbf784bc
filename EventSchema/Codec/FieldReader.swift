import WireFormat

/// Takes typed fields out of a JSON object; every failure names its field.
struct FieldReader {
  private let object: JSONElement.Object
  private let place: Place

  /// Where the object stands; made into text only for an error.
  private enum Place {
    case root
    case element(list: StaticString, index: Int)
  }

  init(object: JSONElement.Object) {
    self.object = object
    place = .root
  }

  private init(object: JSONElement.Object, in list: StaticString, at index: Int) {
    self.object = object
    place = .element(list: list, index: index)
  }

  func text(_ name: StaticString) throws(UnreadableField) -> String {
    guard let text = try value(name).string else { throw failure(name, "must be a string") }
    return text
  }

  func identifier<ID: Identifier>(_ name: StaticString) throws(UnreadableField) -> ID {
    guard let identifier = ID(try text(name)) else { throw failure(name, IdentifierRule.description) }
    return identifier
  }

  func integer<Integer: FixedWidthInteger>(
    _ name: StaticString, in range: ClosedRange<Integer>
  ) throws(UnreadableField) -> Integer {
    guard let whole = try value(name).int64, let integer = Integer(exactly: whole), range.contains(integer) else {
      throw failure(name, "must be \(Self.words(for: range, unboundedAbove: range.upperBound == .max))")
    }
    return integer
  }

  func money(_ name: StaticString, in range: ClosedRange<Money>) throws(UnreadableField) -> Money {
    guard let money = Money(try value(name)), range.contains(money) else {
      let words = Self.words(for: range, unboundedAbove: range.upperBound.minorUnits == .max)
      throw failure(name, "must be \(words) with at most two decimals")
    }
    return money
  }

  func timestamp(_ name: StaticString) throws(UnreadableField) -> Timestamp {
    let value = try value(name)
    guard let timestamp = value.timestamp else {
      throw failure(name, value.isString ? "must be a date and time of RFC 3339" : "must be a string")
    }
    return timestamp
  }

  func list<Element>(
    _ name: StaticString, count: ClosedRange<Int>, _ element: (FieldReader) throws(UnreadableField) -> Element
  ) throws(UnreadableField) -> [Element] {
    guard let values = try value(name).array else { throw failure(name, "must be an array") }
    guard count.contains(values.count) else {
      throw failure(name, "must have \(count.lowerBound) to \(count.upperBound) elements")
    }
    var elements: [Element] = []
    elements.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let object = value.object else { throw failure(name, at: index, "must be an object") }
      elements.append(try element(FieldReader(object: object, in: name, at: index)))
    }
    return elements
  }

  func failure(_ name: StaticString, _ rule: String) -> UnreadableField {
    UnreadableField(reason: "\(path(of: name)): \(rule)")
  }

  /// Of an element of a list, or of its member.
  func failure(
    _ list: StaticString, at index: Int, member: StaticString? = nil, _ rule: String
  ) -> UnreadableField {
    UnreadableField(reason: "\(path(of: list))[\(index)]\(member.map { ".\($0)" } ?? ""): \(rule)")
  }

  private func value(_ name: StaticString) throws(UnreadableField) -> JSONElement {
    guard let value = object[name] else { throw UnreadableField(reason: "missing field \(path(of: name))") }
    return value
  }

  private static func words<Bound>(for range: ClosedRange<Bound>, unboundedAbove: Bool) -> String {
    unboundedAbove ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  }

  private func path(of name: StaticString) -> String {
    switch place {
    case .root: name.description
    case .element(let list, let index): "\(list)[\(index)].\(name)"
    }
  }
}
