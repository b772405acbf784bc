import Foundation
import Messaging
import MessagingKafka
import Testing

/// What the kernel is told about a client's threads and the embedded broker's connections.
@Suite("Kafka clients and the kernel")
struct KafkaClientTests {
  #if os(Linux)
    @Test(.enabled(if: isSlackShown, "another thread's slack is shown to CAP_SYS_NICE only"))
    func theMainThreadSleepsUntilItsTimerIsDue() async throws {
      try await onThread {
        let embedded = try EmbeddedBroker(topics: [("t", 1)])
        defer { embedded.close() }
        let producer = try kafkaBroker(on: embedded).makeProducer()
        defer { producer.close(timeout: .zero) }

        // A thread has its name before it has its slack.
        try proceed("1 ms of slack", until: { Set(Self.slacks(ofThreads: "rdk:main")) == ["1000000"] }) {
          Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(!Self.slacks(ofThreads: "rdk:broker").contains("1000000"))
      }
    }

    private static var isSlackShown: Bool {
      text(of: "/proc/\(getpid())/timerslack_ns") != nil
    }

    private static func slacks(ofThreads prefix: String) -> [String] {
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
      return threads.compactMap { thread in
        guard text(of: "/proc/self/task/\(thread)/comm")?.hasPrefix(prefix) == true else { return nil }
        return text(of: "/proc/\(thread)/timerslack_ns")
      }
    }

    private static func text(of path: String) -> String? {
      try? String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
  #endif

  @Test func theEmbeddedBrokerSendsItsAnswersAtOnce() async throws {
    try await onThread {
      let embedded = try EmbeddedBroker(topics: [("t", 1)])
      defer { embedded.close() }
      let port = try #require(embedded.bootstrapServers.split(separator: ":").last.flatMap { UInt16($0) })
      let producer = try kafkaBroker(on: embedded).makeProducer()
      defer { producer.close(timeout: .zero) }
      _ = try publish(numbered(0..<1, in: "t"), with: producer)

      let accepted = (0..<Int32(1024)).filter { localPort(of: $0) == port && isConnected($0) }
      #expect(!accepted.isEmpty)
      for descriptor in accepted {
        var (isSet, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        #expect(getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isSet, &size) == 0)
        #expect(isSet != 0)
      }
    }
  }

  /// Nil for what is no socket of IPv4.
  private func localPort(of descriptor: Int32) -> UInt16? {
    var (address, size) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return code == 0 && address.sin_family == sa_family_t(AF_INET) ? UInt16(bigEndian: address.sin_port) : nil
  }

  private func isConnected(_ descriptor: Int32) -> Bool {
    var (address, size) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    return withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
    } == 0
  }
}
