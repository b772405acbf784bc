import EventSchema
import Hummingbird

extension Request {
  /// Reads the query of this request.
  public func query() -> QueryValidator { QueryValidator(uri.query ?? "") }
}

/// Reads the parameters of a query, and collects what is wrong with them. A parameter that is absent or empty is nil;
/// of a repeated one the first counts; one that nobody asks for is ignored.
public struct QueryValidator {
  public private(set) var errors: [FieldError] = []
  private var parameters: [(name: String, value: Substring)] = []

  public static let limits = 1...1000
  public static let defaultLimit = 50

  /// - Parameter query: what follows the `?`, percent-encoded.
  public init(_ query: String) {
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentEncoding.decoded(parts[0], plusIsSpace: true) else { continue }
      parameters.append((name, parts.count == 2 ? parts[1] : ""))
    }
  }

  /// - Throws: ``Problem`` 422 with every error that was recorded.
  public func check() throws(Problem) {
    guard errors.isEmpty else { throw Problem.unprocessable(errors) }
  }

  /// Records an error of the caller's own.
  public mutating func refuse(_ name: String, _ detail: String) {
    errors.append(FieldError(pointer: "/\(name)", detail: detail))
  }

  /// How many rows a page may have: `limit`, 1 to 1000, 50 where nothing is said.
  public mutating func limit() -> Int { integer("limit", in: Self.limits) ?? Self.defaultLimit }

  /// Where the page begins. A cursor that was made for another list is refused.
  public mutating func cursor(of list: String) -> PageCursor? {
    guard let text = text("cursor") else { return nil }
    guard let cursor = PageCursor(text, of: list) else { return refused("cursor", "is no cursor of this list") }
    return cursor
  }

  public mutating func identifier<ID: Identifier>(_ name: String, as: ID.Type = ID.self) -> ID? {
    guard let text = text(name) else { return nil }
    guard let identifier = ID(text) else { return refused(name, FieldValidator.identifierExpectation) }
    return identifier
  }

  /// One of the cases of `Choice`.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, of: Choice.Type = Choice.self
  ) -> Choice? where Choice.RawValue == String {
    guard let text = text(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      return refused(name, "has to be one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  public mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let text = text(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      return refused(name, "has to be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Any text of so many Unicode scalars.
  public mutating func text(_ name: String, length: ClosedRange<Int>) -> String? {
    guard let text = text(name) else { return nil }
    guard length.contains(text.unicodeScalars.count) else {
      return refused(name, "has to have \(length.lowerBound) to \(length.upperBound) characters")
    }
    return text
  }

  /// The place of the row before the page, in a list whose rows are numbered.
  public mutating func position(in list: String) -> Int64? {
    guard let cursor = cursor(of: list) else { return nil }
    guard let position = cursor.position else { return refused("cursor", "is no cursor of this list") }
    return position
  }

  private mutating func text(_ name: String) -> String? {
    guard let encoded = parameters.first(where: { $0.name == name })?.value, !encoded.isEmpty else { return nil }
    guard let text = PercentEncoding.decoded(encoded, plusIsSpace: true) else {
      return refused(name, "is not percent-encoded UTF-8")
    }
    return text
  }

  private mutating func refused<Value>(_ name: String, _ detail: String) -> Value? {
    refuse(name, detail)
    return nil
  }
}
