import Foundation

/// Each connection is a file descriptor, and so is each file of the store.
enum FileDescriptorLimit {
  private static let wanted: rlim_t = 65_536

  /// Raises the limit as far as this process may, up to 65,536.
  ///
  /// - Returns: the limit there is now.
  static func raise() -> Int {
    #if canImport(Darwin)
      let resource = RLIMIT_NOFILE
    #else
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 256 }
    if limit.rlim_cur < wanted {
      var higher = limit
      higher.rlim_cur = min(limit.rlim_max, wanted)
      if setrlimit(resource, &higher) == 0 { limit = higher }
    }
    return Int(clamping: min(limit.rlim_cur, wanted))
  }
}
