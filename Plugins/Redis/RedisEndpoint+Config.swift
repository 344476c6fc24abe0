import Martlet

extension RedisEndpoint {
    /// Nil, with a problem reported, if the fields are wrong.
    init?(url: ConfigText, user: ConfigText?, password: ConfigText?, _ context: ModuleContext) {
        var endpoint: RedisEndpoint
        do throws(RedisEndpoint.Mistake) {
            endpoint = try RedisEndpoint(parsing: url.plain)
        } catch {
            context.problem(at: url.place, error.message)
            return nil
        }
        if let user {
            if endpoint.user != nil {
                context.problem(at: user.place, "`url` names a user too; give it once")
                return nil
            }
            endpoint.user = user.plain
        }
        if let password {
            if endpoint.password != nil {
                context.problem(at: password.place, "`url` holds a password too; give it once")
                return nil
            }
            endpoint.password = password.plain
        }
        if let user, endpoint.password == nil {
            context.problem(at: user.place, "a user needs a password; add `password`")
            return nil
        }
        self = endpoint
    }
}
