import ArgumentParser
import WireFormat

/// Everything about one dead letter.
struct ShowDeadLetter: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a dead letter: its error, its record, what waits behind it, what was done.")

  @Argument(help: "The dead letter, as `dlq list` names it.")
  var id: DeadLetterName

  @Flag(help: "Prints JSON.")
  var json = false

  @OptionGroup var stackOptions: StackOptions

  func run() async throws {
    let queues = try await DeadLetterQueues.open(try stackOptions.stack(), group: id.group)
    let letter = try await queues.letter(id)
    if json { return Output.standard.line(bytes: letter.jsonBytes) }
    for line in DeadLetterSheet(letter: letter).lines(palette: Output.standard.palette) { Output.standard.line(line) }
  }
}

/// A dead letter for people.
struct DeadLetterSheet {
  var letter: ListedDeadLetter

  func lines(palette: Palette) -> [String] {
    var lines = [palette.bold("\(letter.name.description.printable)  \(letter.status)"), ""]
    for (name, value) in fields { lines.append("  \(padded(name))\(value.printable)") }
    lines += ["", palette.bold("Record"), ""]
    for (name, value) in record { lines.append("  \(padded(name))\(value.printable)") }
    lines += section("Parked behind it", parked, palette)
    lines += section("What was done", audit, palette)
    return lines
  }

  private var fields: [(String, String)] {
    var fields = [
      ("event", "\(letter.text("event_type") ?? "of unknown type"), \(letter.text("event_id") ?? "")"),
      ("order", letter.orderID.map { "\($0), version \(letter.number("order_version"))" } ?? "unknown"),
      ("failed", "\(letter.failedAt), attempts \(letter.number("attempts")), redrives \(letter.number("redrives"))"),
      ("error", letter.error),
    ]
    if let at = letter.text("resolved_at") { fields.append((letter.status, at)) }
    if let reason = letter.text("reason") { fields.append(("reason", reason)) }
    return fields
  }

  private var record: [(String, String)] {
    var record = [
      ("from", letter.place + (letter.text("original_timestamp").map { ", \($0)" } ?? "")),
      ("key", text(letter.text("original_key"), base64: letter.text("original_key_base64"))),
    ]
    for header in letter.row["original_headers"]?.array ?? [] {
      guard let header = header.object else { continue }
      let value = text(header["value"]?.string, base64: header["value_base64"]?.string)
      record.append(("header", "\(header["key"]?.string ?? "")=\(value)"))
    }
    record.append(("value", value))
    return record
  }

  private var value: String {
    if let message = letter.row["original_message"], !message.isNull {
      return String(decoding: message.jsonBytes, as: UTF8.self)
    }
    let base64 = letter.text("original_message_base64")
    let text = base64.flatMap(Base64.decoded).flatMap { String(validating: $0, as: UTF8.self) }
    return self.text(text, base64: base64)
  }

  private var parked: [String] {
    (letter.row["parked"]?.array ?? []).compactMap(\.object).map { record in
      "version \(record["order_version"]?.number?.text ?? "?"): \(record["event_type"]?.string ?? "?"), "
        + "\(record["event_id"]?.string ?? "?"), since \(record["parked_at"]?.string ?? "?")"
    }
  }

  private var audit: [String] {
    (letter.row["audit"]?.array ?? []).compactMap(\.object).map { row in
      func text(_ name: String) -> String { row[name]?.string ?? "?" }
      let details = ["detail", "reason"].compactMap { row[$0]?.string }.map { ": \($0)" }.joined()
      return "\(text("at")) \(text("action")) by \(text("requester")), \(text("outcome"))\(details)"
    }
  }

  private func section(_ title: String, _ entries: [String], _ palette: Palette) -> [String] {
    entries.isEmpty ? [] : ["", palette.bold(title), ""] + entries.map { "  \($0.printable)" }
  }

  /// Null and empty differ.
  private func text(_ text: String?, base64: String?) -> String {
    if let text { return text.isEmpty ? "(empty)" : text }
    return base64.map { "(base64) \($0)" } ?? "(null)"
  }

  private func padded(_ name: String) -> String { name + String(repeating: " ", count: max(1, 10 - name.count)) }
}
