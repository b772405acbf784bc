import Crypto

/// The tokens of `API_TOKENS`: `token:scope+scope,token:scope`.
///
/// Only digests are kept, so neither a log nor a crash report can show a token.
public struct AccessTokens: Sendable {
  /// Who a token belongs to, as far as the service knows, and what it lets them do.
  struct Grant: Sendable, Hashable {
    /// The first eight hex digits of the token's SHA-256: names it in audit rows without telling it.
    var fingerprint: String
    var scopes: Set<AccessScope>
  }

  private var grants: [(digest: [UInt8], grant: Grant)] = []

  /// What makes a list of tokens unusable, without a word of any token in it.
  public struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) {
      self.description = description
    }
  }

  public init(parsing text: String) throws(Refusal) {
    let entries = text.split(separator: ",", omittingEmptySubsequences: false)
    for (index, entry) in entries.enumerated() {
      let parts = Self.trimmed(entry).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw Refusal("its entry \(index + 1) is not token:scope+scope") }
      guard Self.isToken(parts[0]) else {
        throw Refusal("the token of its entry \(index + 1) is not made of A-Z a-z 0-9 - . _ ~ + / and = at its end")
      }
      try add(String(parts[0]), scopes: try Self.scopes(parts[1], entry: index + 1), entry: index + 1)
    }
  }

  private mutating func add(_ token: String, scopes: Set<AccessScope>, entry: Int) throws(Refusal) {
    let digest = Self.digest(of: token)
    guard !grants.contains(where: { $0.digest == digest }) else {
      throw Refusal("the token of its entry \(entry) is there twice")
    }
    grants.append((digest, Grant(fingerprint: Self.fingerprint(of: digest), scopes: scopes)))
  }

  private static func scopes(_ text: Substring, entry: Int) throws(Refusal) -> Set<AccessScope> {
    var scopes: Set<AccessScope> = []
    for name in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let scope = AccessScope(rawValue: String(name)) else {
        let known = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
        throw Refusal("its entry \(entry) has a scope that is none of \(known)")
      }
      scopes.insert(scope)
    }
    return scopes
  }

  /// What `token` may be used for; nil for one that is not in the list.
  ///
  /// Takes the same time whatever is presented: the digest of it is compared with all digests, to their ends.
  func grant(to token: String) -> Grant? {
    let presented = Self.digest(of: token)
    var found: Grant?
    for (digest, grant) in grants {
      let difference = zip(digest, presented).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
      if difference == 0 { found = grant }
    }
    return found
  }

  private static func digest(of token: String) -> [UInt8] { Array(SHA256.hash(data: Array(token.utf8))) }

  private static func fingerprint(of digest: [UInt8]) -> String {
    digest.prefix(4).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// `b64token` of RFC 6750, section 2.1: what can stand in the header.
  private static func isToken(_ text: Substring) -> Bool {
    let stem = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }
    return !stem.isEmpty
      && stem.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~+/".utf8.contains(byte)
        }
      }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }
}
