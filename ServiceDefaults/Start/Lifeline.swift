import Foundation
import Logging
import Messaging
import ServiceLifecycle

/// Ends when the other end of an inherited pipe closes: then the parent that held it is gone, however it went, and
/// this process must not outlive it.
struct Lifeline: Service {
  let descriptor: Int32
  let logger: Logger

  func run() async throws {
    let (closed, continuation) = AsyncStream.makeStream(of: Void.self)
    let descriptor = descriptor
    // Blocks in read for the life of the process, and ends with it.
    DedicatedThread.start(named: "lifeline") {
      var byte: UInt8 = 0
      while true {
        let count = read(descriptor, &byte, 1)
        if count > 0 || (count < 0 && errno == EINTR) { continue }
        break
      }
      continuation.yield()
      continuation.finish()
    }
    for await _ in closed.cancelOnGracefulShutdown() {
      logger.notice("The parent process is gone: shutting down")
      return
    }
  }
}
