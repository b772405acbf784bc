import HTTPTypes
import Hummingbird

/// Says who a request comes from, and whether they may make it; without tokens everybody may do everything.
public struct AccessControl: Sendable {
  /// The name of everybody where no tokens are wanted.
  public static let anonymous = "anonymous"
  /// Lets everybody in, as often as they like.
  public static let none = AccessControl()

  private let tokens: AccessTokens?
  private let limiter: RateLimiter?

  /// - Parameters:
  ///   - tokens: nil wants none.
  ///   - rateLimit: requests per second and client; nil for no limit. A client is its token, else its address.
  public init(tokens: AccessTokens? = nil, rateLimit: Int? = nil) {
    self.init(tokens: tokens, rateLimit: rateLimit, now: { .now })
  }

  init(tokens: AccessTokens?, rateLimit: Int?, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.tokens = tokens
    limiter = rateLimit.map { RateLimiter(requestsPerSecond: $0, now: now) }
  }

  /// Lets a request pass, or says why not.
  ///
  /// - Parameter address: the client's, nil where it is not known.
  /// - Returns: the token's fingerprint, or ``anonymous``.
  /// - Throws: ``Problem`` 401 without a token that is known, 403 for one without the scope, 429 beyond the rate.
  func admit(_ request: Request, from address: @autoclosure () -> String?) throws(Problem) -> String {
    try admit(caller(of: request.head, path: request.uri.path), from: address())
  }

  /// Who makes a request, by its token, and what that has to allow. Not counted against a rate yet.
  struct Caller: Sendable {
    /// Nil where no token is wanted.
    fileprivate let grant: AccessTokens.Grant?
    /// Any of these is enough; nil where everybody may.
    fileprivate let sufficient: [AccessScope]?

    /// Whether the token is good for this.
    var hasScope: Bool {
      guard let grant, let sufficient else { return true }
      return !grant.scopes.isDisjoint(with: sufficient)
    }
  }

  /// - Parameter path: without the query.
  /// - Throws: ``Problem`` 401 without a token that is known.
  func caller(of head: HTTPRequest, path: @autoclosure () -> String) throws(Problem) -> Caller {
    guard tokens != nil || limiter != nil,
      case .scopes(let sufficient) = AccessRule(method: head.method, path: path())
    else { return Caller(grant: nil, sufficient: nil) }
    return Caller(grant: try authenticated(head.headerFields), sufficient: sufficient)
  }

  /// Counts a caller's request, and lets it pass or says why not: the second half of ``admit(_:from:)``.
  func admit(_ caller: Caller, from address: @autoclosure () -> String?) throws(Problem) -> String {
    guard let sufficient = caller.sufficient else { return Self.anonymous }
    try limit(caller.grant.map { "token \($0.fingerprint)" } ?? "address \(address() ?? "unknown")")
    guard caller.hasScope else { throw .forbidden(wanted: sufficient) }
    return caller.grant?.fingerprint ?? Self.anonymous
  }

  /// Nil where no tokens are wanted.
  private func authenticated(_ fields: HTTPFields) throws(Problem) -> AccessTokens.Grant? {
    guard let tokens else { return nil }
    guard let token = Self.bearerToken(fields[.authorization]) else { throw .unauthorized }
    guard let grant = tokens.grant(to: token) else { throw .unknownToken }
    return grant
  }

  private func limit(_ client: String) throws(Problem) {
    if let seconds = limiter?.refusal(of: client) { throw .tooManyRequests(retryAfter: seconds) }
  }

  /// `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
  private static func bearerToken(_ header: String?) -> String? {
    guard let header else { return nil }
    let parts = header.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1])
  }
}

// MARK: - The problems of RFC 6750

extension Problem {
  fileprivate static let unauthorized = Problem(
    .unauthorized, detail: "This needs a token: Authorization: Bearer <token>.",
    headers: [.wwwAuthenticate: #"Bearer realm="orderflow""#])

  fileprivate static let unknownToken = Problem(
    .unauthorized, detail: "The token is not known here.",
    headers: [.wwwAuthenticate: #"Bearer realm="orderflow", error="invalid_token""#])

  fileprivate static func forbidden(wanted: [AccessScope]) -> Problem {
    let names = wanted.map(\.rawValue)
    return Problem(
      .forbidden, detail: "The token is good, but not for this: it needs the scope \(names.joined(separator: " or ")).",
      headers: [
        .wwwAuthenticate:
          #"Bearer realm="orderflow", error="insufficient_scope", scope="\#(names.joined(separator: " "))""#
      ])
  }

  fileprivate static func tooManyRequests(retryAfter: Int) -> Problem {
    Problem(
      .tooManyRequests, detail: "More requests a second than this service takes of one client.", retryAfter: retryAfter)
  }
}
