import GRDB

/// One step of a store's schema. Its name is kept in the store, so that the step is carried out once in its life.
///
/// Never change a step that has been released: append another.
public struct SQLiteMigration: Sendable {
  /// What the store remembers the step by; unique among the steps of a store.
  public let name: String
  let apply: @Sendable (Database) throws -> Void

  /// A step in SQL: one statement or several, separated by semicolons.
  public init(name: String, sql: String) {
    self.init(name: name) { try $0.execute(sql: sql) }
  }

  /// A step in Swift. `apply` runs inside the step's transaction and must not end it.
  public init(name: String, apply: @escaping @Sendable (Database) throws -> Void) {
    self.name = name
    self.apply = apply
  }
}
