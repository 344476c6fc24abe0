package import Martlet

/// The whole answer to a ``ClientRequest``, whatever its status.
package typealias ClientResponse = OutgoingResponse
