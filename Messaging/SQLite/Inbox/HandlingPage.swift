import Foundation
import Messaging
import Synchronization

/// A mark as it lies in memory and file: what kind it is, then its parts one after another. The kind is taken away before
/// the parts change and set after, so that a death in between leaves no mark and not half of one.
struct HandlingPage {
  static let size = 4096

  private enum Kind: UInt64 {
    case record = 1
    case event, redrive
  }

  /// ``size`` bytes.
  let memory: UnsafeMutableRawPointer

  func write(_ subject: HandlingSubject?, group: String) {
    set(nil)
    guard let subject else { return }
    var parts = Parts(memory: memory)
    parts.put(group)
    let kind: Kind
    switch subject {
    case .record(let cluster, let partition, let offset):
      kind = .record
      parts.put(cluster)
      parts.put(partition.topic)
      parts.put(Int64(partition.partition))
      parts.put(offset)
    case .event(let id):
      kind = .event
      parts.put(id)
    case .redrive(let id, let redrives, let attempt, let requester):
      kind = .redrive
      parts.put(id)
      parts.put(Int64(redrives))
      parts.put(Int64(attempt))
      parts.put(requester.name)
      // A reason that is too long is left out, and not the mark.
      parts.put(requester.reason.flatMap { $0.utf8.count <= 3072 ? $0 : nil } ?? "")
    }
    if parts.isComplete { set(kind) }
  }

  private func set(_ kind: Kind?) {
    // A full barrier when it is taken away: what follows must not come before.
    let state = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    if let kind {
      state.pointee.store(kind.rawValue, ordering: .releasing)
    } else {
      state.pointee.store(0, ordering: .sequentiallyConsistent)
    }
  }

  /// - Returns: nil where nothing is marked.
  static func read(_ bytes: [UInt8]) -> (group: String, subject: HandlingSubject)? {
    var reader = PartsReader(bytes: bytes)
    guard let state = reader.number(), let kind = Kind(rawValue: UInt64(bitPattern: state)),
      let group = reader.text()
    else { return nil }
    let subject: HandlingSubject?
    switch kind {
    case .record: subject = reader.record()
    case .event: subject = reader.text().map { .event(id: $0) }
    case .redrive: subject = reader.redrive()
    }
    return subject.map { (group, $0) }
  }

  /// Writes parts one after another, as long as there is room.
  private struct Parts {
    let memory: UnsafeMutableRawPointer
    private var offset = 8
    private(set) var isComplete = true

    init(memory: UnsafeMutableRawPointer) { self.memory = memory }

    mutating func put(_ number: Int64) {
      guard reserve(8) else { return }
      memory.storeBytes(of: number, toByteOffset: offset - 8, as: Int64.self)
    }

    mutating func put(_ text: String) {
      var text = text
      text.withUTF8 { bytes in
        put(Int64(bytes.count))
        guard let start = bytes.baseAddress, reserve(bytes.count) else { return }
        (memory + offset - bytes.count).copyMemory(from: start, byteCount: bytes.count)
      }
    }

    private mutating func reserve(_ count: Int) -> Bool {
      guard isComplete, count <= HandlingPage.size - offset else {
        isComplete = false
        return false
      }
      offset += count
      return true
    }
  }
}

private struct PartsReader {
  let bytes: [UInt8]
  private var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func number() -> Int64? {
    guard offset + 8 <= bytes.count else { return nil }
    defer { offset += 8 }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Int64.self) }
  }

  mutating func text() -> String? {
    guard let count = number(), count >= 0, count <= bytes.count - offset else { return nil }
    defer { offset += Int(count) }
    return String(decoding: bytes[offset..<(offset + Int(count))], as: UTF8.self)
  }

  mutating func record() -> HandlingSubject? {
    guard let cluster = text(), let topic = text(), let partition = number(), let offset = number() else { return nil }
    return .record(
      cluster: cluster, TopicPartition(topic, Int32(truncatingIfNeeded: partition)), offset: offset)
  }

  mutating func redrive() -> HandlingSubject? {
    guard let id = number(), let redrives = number(), let attempt = number(), let name = text(), let reason = text()
    else { return nil }
    return .redrive(
      deadLetterID: id, redrives: Int(redrives), attempt: Int(attempt),
      Requester(name: name, reason: reason.isEmpty ? nil : reason))
  }
}
