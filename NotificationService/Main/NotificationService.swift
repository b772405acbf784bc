import Notifications
import ServiceDefaults

/// The process: reads its configuration, then runs ``NotificationApplication`` until it is told to stop.
@main
struct NotificationService {
  static func main() async {
    await ServiceMain.run(NotificationApplication.self)
  }
}
