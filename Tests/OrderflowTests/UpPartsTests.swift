import Foundation
import Synchronization
import Testing

@testable import orderflow

struct UpPartsTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

  @Test func linesAreCutWhereverTheirBytesComeFrom() {
    var splitter = LineSplitter()

    #expect(splitter.lines(adding: Array("one\ntw".utf8)) == ["one"])
    #expect(splitter.lines(adding: Array("o\n\nthree".utf8)) == ["two", ""])
    #expect(splitter.finish() == "three")
    #expect(splitter.finish() == nil)
  }

  @Test func aLineWithoutAnEndComesInPieces() {
    var splitter = LineSplitter()
    let lines = splitter.lines(adding: [UInt8](repeating: 0x61, count: LineSplitter.longestLine + 1))

    #expect(lines.map(\.count) == [LineSplitter.longestLine + 1])
    #expect(splitter.finish() == nil)
  }

  @Test func oneStackAtATimeRunsOnADirectory() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let paths = StatePaths(directory: directory)
    do {
      let lock = try StateLock(paths)
      let failure = #expect(throws: Failure.self) { try StateLock(paths) }
      #expect(failure?.description.contains("(process \(getpid()))") == true)
      withExtendedLifetime(lock) {}
    }
    #expect(throws: Never.self) { try StateLock(paths) }
  }

  @Test func aLogHasEveryByteAndRemembersTheLastLines() throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let shown = ShownLines()
    let log = try ProcessLog(path: "\(directory)/x.log") { shown.add($0) }

    let text = (1...30).map { "line \($0)" }.joined(separator: "\n")
    log.take(Array(text.utf8)[...])
    log.finish()

    #expect(try String(contentsOfFile: "\(directory)/x.log", encoding: .utf8) == text)
    #expect(shown.all.count == 30)
    #expect(log.lastLines == (11...30).map { "line \($0)" })
  }

  @Test func aPortThatSomebodyListensOnIsNotFree() throws {
    #if os(Linux)
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let listener = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(listener, address, length)
        _ = listen(listener, 1)
        _ = getsockname(listener, address, &length)
      }
    }

    #expect(!Ports.isFree(Int(UInt16(bigEndian: address.sin_port))))
  }
}

private final class ShownLines: Sendable {
  private let lines = Mutex<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
