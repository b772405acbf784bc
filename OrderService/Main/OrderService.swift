import Orders
import ServiceDefaults

/// The process of OrderService: everything it does is in the library.
@main
struct OrderService {
  static func main() async {
    await ServiceMain.run(OrderApplication.self)
  }
}
