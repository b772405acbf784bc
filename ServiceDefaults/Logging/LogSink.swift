#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Takes finished log lines, from any thread.
protocol LogSink: Sendable {
  func write(_ line: [UInt8])
}

/// Standard error, one `write(2)` a line: lines of several threads, and of several processes on one pipe, never mix
/// as long as they are shorter than the pipe's atomic size.
struct StandardErrorSink: LogSink {
  func write(_ line: [UInt8]) {
    line.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        #if canImport(Glibc)
          let written = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #elseif canImport(Musl)
          let written = Musl.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #else
          let written = Darwin.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        #endif
        if written < 0, errno == EINTR { continue }
        // Nobody reads any more: a service does not die of its log.
        guard written > 0 else { return }
        rest = rest.dropFirst(written)
      }
    }
  }
}
