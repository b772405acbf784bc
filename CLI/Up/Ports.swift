import Foundation

/// The TCP ports of 127.0.0.1.
enum Ports {
  /// Whether a server could listen on `port` now.
  static func isFree(_ port: Int) -> Bool {
    guard let socket = try? BoundSocket(port: port) else { return false }
    return socket.port == port
  }

  /// `count` different ports that nobody uses now. Somebody else may take one before it is used.
  static func free(_ count: Int) throws(Failure) -> [Int] {
    var sockets: [BoundSocket] = []
    for _ in 0..<count { sockets.append(try BoundSocket(port: 0)) }
    return sockets.map(\.port)
  }
}

/// A TCP socket that holds a port without listening on it.
private final class BoundSocket {
  let port: Int
  private let descriptor: Int32

  /// - Parameter port: 0 for any.
  init(port: Int) throws(Failure) {
    #if os(Linux)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { throw Failure("no socket: \(String(cString: strerror(errno)))") }
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
    guard result else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw Failure("port \(port): \(reason)")
    }
    self.descriptor = descriptor
    self.port = Int(UInt16(bigEndian: address.sin_port))
  }

  deinit {
    close(descriptor)
  }
}
