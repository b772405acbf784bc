/// The members of a JSON object, in the order they were sent. Names may repeat.
public struct JSONObject: Sendable, Hashable {
  /// A name and its value.
  public struct Member: Sendable, Hashable {
    /// The name, with its escapes resolved.
    public var name: String
    /// What stands behind the name.
    public var value: JSONValue

    /// Pairs a name with its value.
    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// All members, repeated names included.
  public var members: [Member]

  /// An object of these members, in this order.
  public init(members: [Member] = []) {
    self.members = members
  }

  /// An object of its own, with all that is in it.
  public init(_ object: JSONElement.Object) {
    self.init(members: object.map { Member(name: $0.name, value: JSONValue($0.value)) })
  }

  /// The value of the member `name`; of a repeated name the last one. Takes time linear in the number of members.
  public subscript(_ name: String) -> JSONValue? {
    // By index: a member handed to a closure would be copied first, name, value and all.
    for index in members.indices.reversed() where members[index].name == name { return members[index].value }
    return nil
  }
}

extension JSONObject: JSONEncodable {
  /// Writes all members, repeated names included.
  public func write(to json: inout JSONWriter) {
    json.object { json in
      for member in members { json.member(name: member.name, member.value) }
    }
  }
}
