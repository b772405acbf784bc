extension Timestamp {
  /// `Sun, 22 Nov 2026 20:21:07 +0000`, as in mails (RFC 5322, section 3.3).
  public var mailDate: String { internetDate + " +0000" }

  /// `Sun, 22 Nov 2026 20:21:07 GMT`, as in HTTP (RFC 9110, section 5.6.7).
  public var httpDate: String { internetDate + " GMT" }

  /// Moments before 1970 are written as its first one.
  private var internetDate: String {
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let moment = max(self, Timestamp(millisecondsSinceEpoch: 0))
    let weekday = weekdays[Int(moment.millisecondsSinceEpoch / 86_400_000 % 7)]

    // 2026-11-22T20:21:07.123Z
    let fields = moment.rfc3339.split { "-T.".contains($0) }
    let month = Int(fields[1]).map { months[($0 - 1) % 12] } ?? ""
    return "\(weekday), \(fields[2]) \(month) \(fields[0]) \(fields[3])"
  }
}
