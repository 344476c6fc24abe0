import CHiredis
import Martlet

/// What a connection is for.
protocol RedisLinkUser: AnyObject {
    /// Whether there is something to be connected for; asked after a loss.
    var wantsConnection: Bool { get }
    /// Logged in; commands may be sent.
    func linkIsReady()
    /// Takes the answer to the oldest command that has none; it is freed afterwards. An error is a reason of its own.
    func linkAnswered(_ reply: redisReply)
    /// Takes a message of a subscription; it is freed afterwards.
    func linkBrought(_ message: redisReply)
    /// All that had arrived has been handed over.
    func linkWasRead()
    /// The connection is lost or could not be made. Another attempt follows if it is wanted.
    func linkFailed(_ error: ModuleError)
}
