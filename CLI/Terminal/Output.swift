import Foundation

/// Standard output or standard error, written a whole line at a time.
///
/// When the reader of standard output goes away (`orderflow tail orders | head -1`), the command has nothing left to
/// do and ends with 0, as a Unix tool would by SIGPIPE, which is ignored here because the HTTP client needs that.
struct Output: Sendable {
  static let standard = Output(descriptor: STDOUT_FILENO)
  static let error = Output(descriptor: STDERR_FILENO)

  let descriptor: Int32
  let isTerminal: Bool
  let palette: Palette

  init(descriptor: Int32) {
    self.descriptor = descriptor
    isTerminal = isatty(descriptor) == 1
    palette = Palette(isTerminal: isTerminal, environment: ProcessInfo.processInfo.environment)
  }

  /// How many characters fit on a line of the terminal; 80 where that is not known.
  var columns: Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  func line(_ text: String = "") {
    line(bytes: Array(text.utf8))
  }

  func line(bytes: [UInt8]) {
    guard write(bytes + [UInt8(ascii: "\n")]) || descriptor != STDOUT_FILENO else { exit(0) }
  }

  /// Writes all of `bytes`, or says that the reader is gone. Blocks while the reader is slow.
  @discardableResult
  func write(_ bytes: [UInt8]) -> Bool {
    writeAll(bytes, to: descriptor)
  }
}

/// Writes all of `bytes` to `descriptor`, however many calls that takes; false when it cannot be done.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
  bytes.withUnsafeBytes { buffer in
    var rest = buffer[...]
    while !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}

extension Slice where Base == UnsafeRawBufferPointer {
  fileprivate var baseAddress: UnsafeRawPointer? { base.baseAddress.map { $0 + startIndex } }
}

extension String {
  /// The text on one line that no terminal takes for a command: control characters are shown as `\u{1B}`.
  var printable: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    var text = ""
    for scalar in unicodeScalars {
      if scalar.isControl {
        text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    properties.generalCategory == .control || properties.generalCategory == .lineSeparator
      || properties.generalCategory == .paragraphSeparator
  }
}
