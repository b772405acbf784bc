import Logging
import WireFormat

/// Writes log lines to standard error: for people on a terminal, as JSON for machines.
///
/// Threads: any. A line is one write. Metadata of the call wins over that of the logger.
public struct ServiceLogHandler: LogHandler {
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?
  private let label: String
  private let format: ServiceConfiguration.LogFormat
  private let sink: any LogSink

  public init(label: String, format: ServiceConfiguration.LogFormat, logLevel: Logger.Level = .info) {
    self.init(label: label, format: format, logLevel: logLevel, sink: StandardErrorSink())
  }

  init(label: String, format: ServiceConfiguration.LogFormat, logLevel: Logger.Level, sink: any LogSink) {
    self.label = label
    self.format = format
    self.logLevel = logLevel
    self.sink = sink
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    var all = metadataProvider?.get() ?? [:]
    all.merge(metadata) { $1 }
    if let own = event.metadata { all.merge(own) { $1 } }
    if let error = event.error { all["error"] = "\(error)" }
    let line = LogLine(
      time: Timestamp.now(), level: event.level, label: label, message: "\(event.message)", metadata: all)
    sink.write(format == .json ? line.json : line.text)
  }
}

/// A line of the log, not formatted yet.
struct LogLine {
  var time: Timestamp
  var level: Logger.Level
  var label: String
  var message: String
  var metadata: Logger.Metadata

  /// `{"timestamp":"...","level":"info","logger":"...","message":"...","metadata":{...}}`
  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("timestamp", time)
      json.member("level", level.rawValue)
      json.member("logger", label)
      json.member("message", message)
      if !metadata.isEmpty {
        json.member("metadata", object: { write(metadata, to: &$0) })
      }
    }
    return json.bytes + [UInt8(ascii: "\n")]
  }

  private func write(_ metadata: Logger.Metadata, to json: inout JSONWriter) {
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
      json.member(name: name, MetadataJSON(value))
    }
  }

  /// `12:01:02.345 info  [OrderService] Order accepted order_id=0198...`; control characters are escaped, so that
  /// what a client sent can neither forge a line nor paint the terminal.
  var text: [UInt8] {
    let clock = time.rfc3339.dropFirst(11).dropLast()
    let level = level.rawValue + String(repeating: " ", count: max(0, 8 - level.rawValue.count))
    var text = "\(clock) \(level) [\(label)] \(message)"
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
      let value = "\(value)"
      text += value.contains(" ") ? " \(name)=\"\(value)\"" : " \(name)=\(value)"
    }
    var line: [UInt8] = []
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0: line.append(contentsOf: scalar.escaped(asASCII: true).utf8)
      default: line.append(contentsOf: String(scalar).utf8)
      }
    }
    return line + [UInt8(ascii: "\n")]
  }
}

/// A metadata value as JSON: texts, objects and arrays.
private struct MetadataJSON: JSONEncodable {
  let value: Logger.MetadataValue

  init(_ value: Logger.MetadataValue) { self.value = value }

  func write(to json: inout JSONWriter) {
    switch value {
    case .string(let text): text.write(to: &json)
    case .stringConvertible(let value): value.description.write(to: &json)
    case .array(let values):
      json.array { json in for value in values { json.value(MetadataJSON(value)) } }
    case .dictionary(let members):
      json.object { json in
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
          json.member(name: name, MetadataJSON(value))
        }
      }
    }
  }
}
