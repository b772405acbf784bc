import Inventory
import ServiceDefaults

/// The process: reads its configuration, then runs ``InventoryApplication`` until it is told to stop.
@main
struct InventoryService {
  static func main() async {
    await ServiceMain.run(InventoryApplication.self)
  }
}
