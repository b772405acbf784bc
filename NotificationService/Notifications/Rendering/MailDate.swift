import WireFormat

/// `Sun, 22 Nov 2026 20:21:07 +0000` (RFC 5322 section 3.3).
func mailDate(_ time: Timestamp) -> String {
  let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  let millisecondsPerDay: Int64 = 86_400_000
  let time = max(time, Timestamp(millisecondsSinceEpoch: 0))
  let weekday = weekdays[Int(time.millisecondsSinceEpoch / millisecondsPerDay % 7)]

  // 2026-11-22T20:21:07.123Z
  let text = time.rfc3339
  let fields = text.split { "-T.".contains($0) }
  let month = Int(fields[1]).map { months[($0 - 1) % 12] } ?? ""
  return "\(weekday), \(fields[2]) \(month) \(fields[0]) \(fields[3]) +0000"
}
