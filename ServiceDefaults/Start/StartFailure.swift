import Foundation
import MessagingSQLite
import NIOCore

/// Says in one line why a start failed.
enum StartFailure {
  static func describe(_ error: any Error, _ configuration: ServiceConfiguration) -> String {
    switch error {
    case let error as IOError where error.errnoCode == EADDRINUSE:
      "HTTP_PORT: \(configuration.httpHost):\(configuration.httpPort) is in use by another process"
    case let error as IOError where error.errnoCode == EADDRNOTAVAIL:
      "HTTP_HOST: \(configuration.httpHost) is no address of this machine"
    case let error as IOError where error.errnoCode == EACCES:
      "HTTP_PORT: this user may not listen on port \(configuration.httpPort)"
    case let error as SocketAddressError:
      "HTTP_HOST: \(configuration.httpHost) cannot be resolved (\(error))"
    case let error as SQLiteStoreError:
      "DATABASE_PATH: \(error)"
    default:
      "\(error)"
    }
  }
}
