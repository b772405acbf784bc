import WireFormat

/// `{"groups":[...]}`
struct GroupList: Sendable, JSONEncodable {
  var groups: [GroupReport]

  func write(to json: inout JSONWriter) {
    json.object { $0.member("groups", groups) }
  }
}
