import WireFormat

extension ServiceClient {
  /// Reads a list from its first page to its last, 1,000 rows at a time, and hands over each page.
  ///
  /// - Parameter member: the name under which a page has its rows.
  func pages(
    _ path: String, query: [(name: String, value: String)] = [], member: String,
    _ take: (_ rows: [JSONObject]) throws -> Void
  ) async throws {
    var cursor: String?
    var seen: Set<String> = []
    repeat {
      let page = try await get(
        path, query: query + [("limit", "1000")] + (cursor.map { [("cursor", $0)] } ?? []), timeout: .seconds(120))
      guard let rows = page[member]?.array else {
        throw Failure("\(name) answered GET \(path) without a list of \(member)")
      }
      try take(rows.compactMap(\.object))
      cursor = page["next_cursor"]?.string
      if let cursor, !seen.insert(cursor).inserted {
        throw Failure("\(name) answered GET \(path) with the same next_cursor twice")
      }
    } while cursor != nil
  }
}

/// Reads what is new in a list whose newest rows come first, each row once, however often it is asked.
struct NewestFirst: Sendable {
  let service: ServiceClient
  let path: String
  /// The name under which a page has its rows, and the one under which a row has its id.
  let member: String
  let id: String
  private var newestKnown: String?

  init(_ service: ServiceClient, _ path: String, member: String, id: String) {
    self.service = service
    self.path = path
    self.member = member
    self.id = id
  }

  /// The rows that came since the last call, the newest first.
  ///
  /// - Parameter moment: rows created before it are of no interest; the first call has no other end than this.
  mutating func readNew(createdSince moment: Timestamp) async throws -> [Row] {
    var new: [Row] = []
    var cursor: String?
    paging: repeat {
      let page = try await service.get(
        path, query: [("limit", "1000")] + (cursor.map { [("cursor", $0)] } ?? []), timeout: .seconds(120))
      guard let rows = page[member]?.array else {
        throw Failure("\(service.name) answered GET \(path) without a list of \(member)")
      }
      for object in rows {
        let row = Row(object: object.object ?? JSONObject(), list: "\(service.name)'s \(member)")
        if try row.text(id) == newestKnown { break paging }
        guard try row.timestamp("created_at") >= moment else { break paging }
        new.append(row)
      }
      cursor = page["next_cursor"]?.string
    } while cursor != nil
    newestKnown = try new.first?.text(id) ?? newestKnown
    return new
  }
}

/// Reads the members of a row that some service answered with.
struct Row: Sendable {
  let object: JSONObject
  /// What messages call the list: `OrderService's orders`.
  let list: String

  func text(_ name: String) throws(Failure) -> String {
    guard let value = object[name]?.string else { throw missing(name, "a text") }
    return value
  }

  func optionalText(_ name: String) -> String? { object[name]?.string }

  func integer(_ name: String) throws(Failure) -> Int64 {
    guard let value = object[name]?.number?.int64 else { throw missing(name, "a whole number") }
    return value
  }

  func optionalInteger(_ name: String) -> Int64? { object[name]?.number?.int64 }

  /// `[{"product_id":..., "quantity":...}, ...]` as quantities by product.
  func quantities(_ name: String) throws(Failure) -> [String: Int64] {
    guard let items = object[name]?.array else { throw missing(name, "a list") }
    var quantities: [String: Int64] = [:]
    for item in items {
      let row = Row(object: item.object ?? JSONObject(), list: list)
      quantities[try row.text("product_id")] = try row.integer("quantity")
    }
    return quantities
  }

  private func missing(_ name: String, _ kind: String) -> Failure {
    Failure("\(list) have a row whose \(name) is not \(kind)")
  }
}
