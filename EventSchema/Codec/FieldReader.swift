import WireFormat

/// Takes typed fields out of a JSON object; every failure names its field.
struct FieldReader {
  private let object: JSONObject
  private let place: Place

  /// Where the object stands; made into text only for an error.
  private enum Place {
    case root
    case element(list: String, index: Int)
  }

  init(object: JSONObject) {
    self.object = object
    place = .root
  }

  private init(object: JSONObject, in list: String, at index: Int) {
    self.object = object
    place = .element(list: list, index: index)
  }

  func text(_ name: String) throws(UnreadableField) -> String {
    guard let text = try value(name).string else { throw failure(name, "must be a string") }
    return text
  }

  func identifier<ID: Identifier>(_ name: String) throws(UnreadableField) -> ID {
    guard let identifier = ID(try text(name)) else { throw failure(name, IdentifierRule.description) }
    return identifier
  }

  func integer<Integer: FixedWidthInteger>(
    _ name: String, in range: ClosedRange<Integer>
  ) throws(UnreadableField) -> Integer {
    guard let number = try value(name).number, let whole = number.int64, let integer = Integer(exactly: whole),
      range.contains(integer)
    else { throw failure(name, "must be \(Self.words(for: range, unboundedAbove: range.upperBound == .max))") }
    return integer
  }

  func money(_ name: String, in range: ClosedRange<Money>) throws(UnreadableField) -> Money {
    guard let number = try value(name).number, let money = Money(number), range.contains(money) else {
      let words = Self.words(for: range, unboundedAbove: range.upperBound.minorUnits == .max)
      throw failure(name, "must be \(words) with at most two decimals")
    }
    return money
  }

  func timestamp(_ name: String) throws(UnreadableField) -> Timestamp {
    guard let timestamp = Timestamp(rfc3339: try text(name)) else {
      throw failure(name, "must be a date and time of RFC 3339")
    }
    return timestamp
  }

  func list<Element>(
    _ name: String, count: ClosedRange<Int>, _ element: (FieldReader) throws(UnreadableField) -> Element
  ) throws(UnreadableField) -> [Element] {
    guard let values = try value(name).array else { throw failure(name, "must be an array") }
    guard count.contains(values.count) else {
      throw failure(name, "must have \(count.lowerBound) to \(count.upperBound) elements")
    }
    var elements: [Element] = []
    elements.reserveCapacity(values.count)
    for (index, value) in values.enumerated() {
      guard let object = value.object else { throw failure("\(name)[\(index)]", "must be an object") }
      elements.append(try element(FieldReader(object: object, in: name, at: index)))
    }
    return elements
  }

  func failure(_ name: String, _ rule: String) -> UnreadableField {
    UnreadableField(reason: "\(path(of: name)): \(rule)")
  }

  private func value(_ name: String) throws(UnreadableField) -> JSONValue {
    guard let value = object[name] else { throw UnreadableField(reason: "missing field \(path(of: name))") }
    return value
  }

  private static func words<Bound>(for range: ClosedRange<Bound>, unboundedAbove: Bool) -> String {
    unboundedAbove ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  }

  private func path(of name: String) -> String {
    switch place {
    case .root: name
    case .element(let list, let index): "\(list)[\(index)].\(name)"
    }
  }
}
