import Logging
import MessagingSQLite
import ServiceLifecycle

/// Closes the store when everybody who uses it has stopped: first in the list of services, so last to be told.
struct DatabaseService: Service {
  let database: SQLiteDatabase
  let logger: Logger

  func run() async throws {
    try? await gracefulShutdown()
    do {
      try database.close()
    } catch {
      logger.warning("The store could not be closed; it recovers at the next start", metadata: ["error": "\(error)"])
    }
  }
}
