import EventSchema
import Testing
import WireFormat

/// A golden event with one thing changed, to see what the codec makes of it.
struct Edited {
  private(set) var object: JSONObject
  private var key: [UInt8]?

  init(_ type: EventType) throws {
    let event = try Samples.sample(of: type)
    object = try #require(try JSONValue(parsing: event.encoded()).object)
    key = event.key
  }

  /// Sets the member at `path`, a dot between names and indices: `items.0.quantity`. Nil takes it away.
  func setting(_ path: String, to json: String?) throws -> Edited {
    let value = try json.map { try JSONValue(parsing: Array($0.utf8)) }
    var copy = self
    copy.object = try #require(
      try Self.set(path.split(separator: ".")[...].map(String.init)[...], in: .object(object), to: value)?.object)
    return copy
  }

  func withKey(_ key: [UInt8]?) -> Edited {
    var copy = self
    copy.key = key
    return copy
  }

  func decoded() -> DecodedEvent { EventCodec.decode(key: key, value: object.jsonBytes) }

  /// Why it cannot be read, nil if it can.
  func unreadableReason() -> String? {
    if case .unreadable(let reason, _, _, _, _) = decoded() { reason } else { nil }
  }

  /// The event, nil if it is none.
  func event() -> Event? {
    if case .event(let event) = decoded() { event } else { nil }
  }

  private static func set(_ path: ArraySlice<String>, in value: JSONValue, to new: JSONValue?) throws -> JSONValue? {
    guard let step = path.first else { return new }
    if var object = value.object {
      let old = object[step] ?? .object(JSONObject())
      let changed = try set(path.dropFirst(), in: old, to: new)
      if let index = object.members.firstIndex(where: { $0.name == step }) {
        object.members.remove(at: index)
        if let changed { object.members.insert(.init(name: step, value: changed), at: index) }
      } else if let changed {
        object.members.append(.init(name: step, value: changed))
      }
      return .object(object)
    }
    var elements = try #require(value.array)
    let index = try #require(Int(step))
    elements[index] = try #require(try set(path.dropFirst(), in: elements[index], to: new))
    return .array(elements)
  }
}
