package import Martlet

/// One request of an ``HTTPClient``.
package typealias ClientRequest = OutgoingRequest
