import EventSchema
import WireFormat

/// Reads the fields of a JSON object, and collects what is wrong with them under their JSON pointers.
///
/// Each reader returns nil after it has recorded an error, so a request is read to its end and refused once, with all
/// its errors. Fields that nobody asks for are ignored.
///
/// ```swift
/// var fields = FieldValidator(try await request.jsonObject())
/// let customer = fields.identifier("customer_id", as: CustomerID.self)
/// let reason = fields.optionalString("reason", length: 0...500)
/// try fields.check()
/// ```
public struct FieldValidator {
  public private(set) var errors: [FieldError] = []
  private let object: JSONElement.Object
  private let pointer: String

  /// - Parameter pointer: where `object` lies in the body.
  public init(_ object: JSONElement.Object, pointer: String = "") {
    self.object = object
    self.pointer = pointer
  }

  static let identifierExpectation = "has to be 1 to 64 of the characters A-Z a-z 0-9 . _ -"

  /// - Throws: ``Problem`` 422 with every error that was recorded.
  public func check() throws(Problem) {
    guard errors.isEmpty else { throw Problem.unprocessable(errors) }
  }

  /// Records an error of the caller's own; an empty name means the object itself.
  public mutating func refuse(_ name: StaticString, _ detail: String) {
    errors.append(FieldError(pointer: name.utf8CodeUnitCount == 0 ? pointer : self.pointer(to: name), detail: detail))
  }

  // MARK: Identifiers and texts

  public mutating func identifier<ID: Identifier>(_ name: StaticString, as: ID.Type = ID.self) -> ID? {
    guard let value = required(name) else { return nil }
    guard let identifier = value.string.flatMap({ ID($0) }) else { return refused(name, Self.identifierExpectation) }
    return identifier
  }

  /// A text of so many Unicode scalars, without control characters.
  public mutating func string(_ name: StaticString, length: ClosedRange<Int>) -> String? {
    guard let value = required(name) else { return nil }
    return string(name, value, length)
  }

  /// The same, or nil without an error where the field is absent or null.
  public mutating func optionalString(_ name: StaticString, length: ClosedRange<Int>) -> String? {
    guard let value = optional(name) else { return nil }
    return string(name, value, length)
  }

  private mutating func string(_ name: StaticString, _ value: JSONElement, _ length: ClosedRange<Int>) -> String? {
    guard let text = value.string else { return refused(name, "has to be a text") }
    let scalars = text.unicodeScalars
    guard length.contains(scalars.count) else {
      return refused(name, "has to have \(length.lowerBound) to \(length.upperBound) characters")
    }
    guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return refused(name, "may not have control characters")
    }
    return text
  }

  /// A moment, or nil without an error where the field is absent or null.
  public mutating func optionalTimestamp(_ name: StaticString) -> Timestamp? {
    guard let value = optional(name) else { return nil }
    guard let moment = value.timestamp else {
      return refused(name, "has to be a time like 2026-11-22T20:21:07Z")
    }
    return moment
  }

  /// True or false, or nil without an error where the field is absent or null.
  public mutating func optionalFlag(_ name: StaticString) -> Bool? {
    guard let value = optional(name) else { return nil }
    guard let flag = value.bool else { return refused(name, "has to be true or false") }
    return flag
  }

  /// Where a page or a step begins: a cursor of `list`.
  mutating func optionalCursor(_ name: StaticString, of list: String) -> PageCursor? {
    guard let value = optional(name) else { return nil }
    guard let cursor = value.string.flatMap({ PageCursor($0, of: list) }) else {
      return refused(name, "is no cursor of this list")
    }
    return cursor
  }

  // MARK: Numbers

  public mutating func integer(_ name: StaticString, in range: ClosedRange<Int>) -> Int? {
    guard let value = required(name) else { return nil }
    return integer(name, value, range)
  }

  public mutating func optionalInteger(_ name: StaticString, in range: ClosedRange<Int>) -> Int? {
    guard let value = optional(name) else { return nil }
    return integer(name, value, range)
  }

  private mutating func integer(_ name: StaticString, _ value: JSONElement, _ range: ClosedRange<Int>) -> Int? {
    guard let number = value.int64.flatMap({ Int(exactly: $0) }), range.contains(number) else {
      return refused(name, "has to be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// An amount with at most two decimals.
  public mutating func money(_ name: StaticString, in range: ClosedRange<Money>) -> Money? {
    guard let value = required(name) else { return nil }
    return money(name, value, range)
  }

  public mutating func optionalMoney(_ name: StaticString, in range: ClosedRange<Money>) -> Money? {
    guard let value = optional(name) else { return nil }
    return money(name, value, range)
  }

  private mutating func money(_ name: StaticString, _ value: JSONElement, _ range: ClosedRange<Money>) -> Money? {
    guard let money = Money(value), range.contains(money) else {
      return refused(
        name, "has to be a number from \(range.lowerBound) to \(range.upperBound) with at most two decimals")
    }
    return money
  }

  // MARK: Arrays

  /// An array of objects, each read by `read` with pointers of its own. Nil when anything in it was refused.
  public mutating func objects<Element>(
    _ name: StaticString, count: ClosedRange<Int>, _ read: (inout FieldValidator) -> Element?
  ) -> [Element]? {
    guard let value = required(name) else { return nil }
    guard let values = value.array, count.contains(values.count) else {
      return refused(name, "has to be an array of \(count.lowerBound) to \(count.upperBound) objects")
    }
    var elements: [Element] = []
    elements.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      let pointer = "\(self.pointer(to: name))/\(index)"
      guard let object = value.object else {
        errors.append(FieldError(pointer: pointer, detail: "has to be an object"))
        continue
      }
      var fields = FieldValidator(object, pointer: pointer)
      let element = read(&fields)
      errors += fields.errors
      if let element, fields.errors.isEmpty { elements.append(element) }
    }
    return elements.count == values.count ? elements : nil
  }

  // MARK: Presence

  private mutating func required(_ name: StaticString) -> JSONElement? {
    guard let value = optional(name) else { return refused(name, "is missing") }
    return value
  }

  private func optional(_ name: StaticString) -> JSONElement? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  private mutating func refused<Value>(_ name: StaticString, _ detail: String) -> Value? {
    refuse(name, detail)
    return nil
  }

  private func pointer(to name: StaticString) -> String {
    let name = name.description
    guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
      return "\(pointer)/\(name)"
    }
    return "\(pointer)/\(name.replacing("~", with: "~0").replacing("/", with: "~1"))"
  }
}
