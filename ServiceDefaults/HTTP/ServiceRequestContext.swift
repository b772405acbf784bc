import EventSchema
import Hummingbird
import Logging
import NIOCore

/// What a handler knows of its request beside the request itself: the captures of its path, who asks, and a logger.
public struct ServiceRequestContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  /// Who asks: the fingerprint of their token, or ``AccessControl/anonymous``.
  public internal(set) var requester = AccessControl.anonymous
  /// The client's connection.
  let channel: any Channel

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

/// Routes of a service. Make one with ``ServiceHTTP/makeRouter()``.
public typealias ServiceRouter = Router<ServiceRequestContext>

extension ServiceRequestContext {
  /// The identifier that the path captured as `parameter`.
  ///
  /// - Throws: ``Problem`` 404 for a text that can be nobody's identifier: there is no such resource.
  public func identifier<ID: Identifier>(_ parameter: String, as: ID.Type = ID.self) throws(Problem) -> ID {
    guard let identifier = capture(parameter).flatMap({ ID($0) }) else {
      throw Problem.notFound("There is nothing under this path.")
    }
    return identifier
  }

  /// The identifier that the path captured as `parameter`, for requests that would create what it names.
  ///
  /// - Throws: ``Problem`` 422 for a text out of bounds.
  public func validIdentifier<ID: Identifier>(_ parameter: String, as: ID.Type = ID.self) throws(Problem) -> ID {
    guard let identifier = capture(parameter).flatMap({ ID($0) }) else {
      throw Problem.unprocessable(pointer: "/\(parameter)", FieldValidator.identifierExpectation)
    }
    return identifier
  }

  /// What the path captured as `parameter`, percent-decoded; nil where it is no UTF-8 text. For names that are no
  /// ``EventSchema/Identifier``.
  public func capture(_ parameter: String) -> String? {
    parameters.get(parameter).flatMap { PercentEncoding.decoded($0[...]) }
  }
}
