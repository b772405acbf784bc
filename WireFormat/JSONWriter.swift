/// Writes compact JSON in UTF-8, members in the order in which they are written.
///
/// ```swift
/// var json = JSONWriter()
/// json.object { json in
///   json.member("order_id", order.id)
///   json.member("items", array: { json in for item in order.items { json.value(item) } })
/// }
/// ```
/// Commas come by themselves. That one value is written for each member is the caller's part.
///
/// What takes a closure or any type is inlinable: from another module it would be called through witness tables, for each
/// member of each event and answer.
public struct JSONWriter: Sendable {
  /// What has been written so far.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// An empty text; `capacity` bytes are written without growing.
  public init(reservingCapacity capacity: Int = 256) {
    bytes.reserveCapacity(max(capacity, 0))
  }

  // MARK: Containers

  /// Writes an object; `body` writes its members.
  @inlinable
  public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(UInt8(ascii: "{"))
    try body(&self)
    close(UInt8(ascii: "}"))
  }

  /// Writes an array; `body` writes its elements with ``value(_:)``, ``object(_:)`` or ``array(_:)``.
  @inlinable
  public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    open(UInt8(ascii: "["))
    try body(&self)
    close(UInt8(ascii: "]"))
  }

  /// Writes an element of an array, or a value on its own.
  @inlinable
  public mutating func value(_ value: some JSONEncodable) {
    value.write(to: &self)
  }

  // MARK: Members. A `StaticString` name is copied as it is: plain ASCII without quotes or backslashes.

  /// Writes a member.
  @inlinable
  public mutating func member(_ name: StaticString, _ value: some JSONEncodable) {
    writeName(name)
    value.write(to: &self)
  }

  /// Writes a member that is an object; `body` writes what is in it.
  @inlinable
  public mutating func member(_ name: StaticString, object body: (inout JSONWriter) throws -> Void) rethrows {
    writeName(name)
    try object(body)
  }

  /// Writes a member that is an array; `body` writes what is in it.
  @inlinable
  public mutating func member(_ name: StaticString, array body: (inout JSONWriter) throws -> Void) rethrows {
    writeName(name)
    try array(body)
  }

  /// Writes a member whose value is JSON already; `raw` is copied unseen.
  public mutating func member(_ name: StaticString, raw: [UInt8]) {
    writeName(name)
    self.raw(raw)
  }

  // MARK: Members with a name made at run time, escaped as needed

  /// Writes a member.
  @inlinable
  public mutating func member(name: String, _ value: some JSONEncodable) {
    writeName(name)
    value.write(to: &self)
  }

  /// Writes a member that is an object; `body` writes what is in it.
  @inlinable
  public mutating func member(name: String, object body: (inout JSONWriter) throws -> Void) rethrows {
    writeName(name)
    try object(body)
  }

  /// Writes a member that is an array; `body` writes what is in it.
  @inlinable
  public mutating func member(name: String, array body: (inout JSONWriter) throws -> Void) rethrows {
    writeName(name)
    try array(body)
  }

  /// Writes a member whose value is JSON already; `raw` is copied unseen.
  public mutating func member(name: String, raw: [UInt8]) {
    writeName(name)
    self.raw(raw)
  }

  // MARK: Single values

  /// Writes `null`.
  public mutating func null() { raw("null".utf8) }

  /// Writes a string, escaped as needed.
  public mutating func string(_ text: String) {
    beginValue()
    bytes.appendJSONString(text)
    endValue()
  }

  /// Writes a whole number.
  public mutating func integer(_ value: Int64) {
    beginValue()
    bytes.appendDecimal(value)
    endValue()
  }

  /// Writes `minorUnits` × 10^-`decimals` with exactly that many decimals: 4990 with 2 is `49.90`.
  ///
  /// - Parameter decimals: 0 to 18.
  public mutating func decimal(minorUnits: Int64, decimals: Int) {
    beginValue()
    bytes.appendDecimal(minorUnits, decimals: decimals)
    endValue()
  }

  /// Writes bytes that are a JSON value already.
  public mutating func raw(_ json: some Collection<UInt8>) {
    beginValue()
    bytes.append(contentsOf: json)
    endValue()
  }

  // MARK: Commas

  private mutating func beginValue() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func endValue() { needsComma = true }

  @usableFromInline
  mutating func open(_ bracket: UInt8) {
    beginValue()
    bytes.append(bracket)
    needsComma = false
  }

  @usableFromInline
  mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    endValue()
  }

  @usableFromInline
  mutating func writeName(_ name: StaticString) {
    beginValue()
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  @usableFromInline
  mutating func writeName(_ name: String) {
    beginValue()
    bytes.appendJSONString(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }
}
