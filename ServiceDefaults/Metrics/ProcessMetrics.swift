import Foundation

/// What the operating system knows of this process, under the names that Prometheus' own clients use.
enum ProcessMetrics {
  static func write(to text: inout PrometheusText) {
    var usage = rusage()
    #if canImport(Darwin)
      let known = getrusage(RUSAGE_SELF, &usage) == 0
    #else
      let known = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0
    #endif
    if known {
      let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1_000_000
      let system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1_000_000
      text.family("process_cpu_seconds_total", .counter, help: "User and system time of this process")
      text.sample("process_cpu_seconds_total", labels: "", user + system)
    }
    if let bytes = residentBytes() {
      text.family("process_resident_memory_bytes", .gauge, help: "Memory that is not swapped out")
      text.sample("process_resident_memory_bytes", labels: "", bytes)
    }
    if let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      text.family("process_open_fds", .gauge, help: "Open file descriptors")
      text.sample("process_open_fds", labels: "", Int64(descriptors.count))
    }
  }

  /// Linux only: the second number of /proc/self/statm, in pages.
  private static func residentBytes() -> Int64? {
    guard let statistics = FileManager.default.contents(atPath: "/proc/self/statm") else { return nil }
    let fields = String(decoding: statistics, as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }
}
