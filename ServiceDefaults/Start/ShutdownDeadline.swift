import Dispatch
import Foundation
import Logging
import ServiceLifecycle

/// Ends the process when a shutdown takes too long. What was not finished is finished after the next start: nothing
/// that was promised depends on a good end.
struct ShutdownDeadline: Service {
  /// Whoever sent SIGTERM waits for 10 seconds.
  var patience: Duration = .milliseconds(9500)
  let logger: Logger

  func run() async throws {
    try? await gracefulShutdown()
    let logger = logger
    let milliseconds = Int(patience / .milliseconds(1))
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
      logger.critical("Shutdown took too long: leaving at once")
      _exit(ServiceMain.ExitCode.failed)
    }
  }
}
