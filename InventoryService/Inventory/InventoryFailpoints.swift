import FaultInjection

/// The moments of InventoryService at which everything may end.
extension Failpoint {
  /// An item of an order is set aside, the next is not, and nothing is committed.
  static let inventoryReserving = Failpoint("inventory.reserving")
  /// All items of an order are set aside; its reservation is not written.
  static let inventorySetAside = Failpoint("inventory.set-aside")
  /// A reservation is written; its event is not.
  static let inventoryAnswering = Failpoint("inventory.answering")
  /// A reservation is released; its items are not given back.
  static let inventoryReleasing = Failpoint("inventory.releasing")

  /// Every place of this module, for the crash matrix.
  package static let inventory: [Failpoint] = [
    inventoryReserving, inventorySetAside, inventoryAnswering, inventoryReleasing,
  ]
}
