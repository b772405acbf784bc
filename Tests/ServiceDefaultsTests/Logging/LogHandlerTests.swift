import Logging
import Synchronization
import Testing
import WireFormat

@testable import ServiceDefaults

@Suite struct LogHandlerTests {
  @Test func aLineIsOneJSONObject() throws {
    let sink = LinesInMemory()
    var logger = logger(.json, sink)
    logger[metadataKey: "order_id"] = "o-1"
    logger[metadataKey: "attempt"] = "1"

    logger.warning("Event \"failed\"\n", metadata: ["attempt": "2", "list": ["a", "b"], "nested": ["x": ["y": "z"]]])

    let line = try #require(sink.lines.first)
    #expect(line.last == UInt8(ascii: "\n") && line.dropLast().allSatisfy { $0 >= 0x20 })
    let object = try #require(try JSONValue(parsing: Array(line.dropLast())).object)
    #expect(object["level"]?.string == "warning")
    #expect(object["logger"]?.string == "test")
    #expect(object["message"]?.string == "Event \"failed\"\n")
    #expect(Timestamp(rfc3339: object["timestamp"]?.string ?? "") != nil)
    let metadata = object["metadata"]?.object
    #expect(metadata?["order_id"]?.string == "o-1")
    #expect(metadata?["attempt"]?.string == "2")
    #expect(metadata?["list"]?.array?.count == 2)
    #expect(metadata?["nested"]?.object?["x"]?.object?["y"]?.string == "z")
  }

  @Test func aLineForPeopleCannotBeForged() throws {
    let sink = LinesInMemory()
    logger(.text, sink).info(
      "Order accepted", metadata: ["customer": "eve\n12:00:00 error [x] \u{1B}[31mforged", "id": "o-1"])
    let line = String(decoding: try #require(sink.lines.first), as: UTF8.self)
    #expect(line.contains("info     [test] Order accepted customer=\"eve\\n12:00:00"))
    #expect(line.hasSuffix("id=o-1\n"))
    #expect(line.filter { $0 == "\n" }.count == 1 && !line.contains("\u{1B}"))
  }

  @Test func linesBelowTheLevelAreLeftOut() {
    let sink = LinesInMemory()
    logger(.text, sink).debug("nothing")
    #expect(sink.lines.isEmpty)
  }

  @Test func linesOfManyThreadsStayWhole() async throws {
    let sink = LinesInMemory()
    let logger = logger(.json, sink)
    await withTaskGroup { group in
      for task in 0..<50 {
        group.addTask { for line in 0..<20 { logger.info("line", metadata: ["place": "\(task)/\(line)"]) } }
      }
    }
    let places = try sink.lines.map {
      try JSONValue(parsing: Array($0.dropLast())).object?["metadata"]?.object?["place"]?.string
    }
    #expect(Set(places).count == 1000)
  }

  private func logger(_ format: ServiceConfiguration.LogFormat, _ sink: LinesInMemory) -> Logger {
    Logger(label: "test") { ServiceLogHandler(label: $0, format: format, logLevel: .info, sink: sink) }
  }
}

final class LinesInMemory: LogSink {
  private let all = Mutex<[[UInt8]]>([])
  var lines: [[UInt8]] { all.withLock { $0 } }
  func write(_ line: [UInt8]) { all.withLock { $0.append(line) } }
}
