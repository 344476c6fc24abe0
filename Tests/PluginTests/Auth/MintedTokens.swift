import Foundation
import TestSupport

/// Keys and tokens made by PyJWT, so that another implementation says what is valid; and broken ones made by hand.
struct MintedTokens: Decodable {
    let secret: String
    let pem: [String: String]
    /// A JWK set with a key for each of RS256, ES256 and EdDSA, `kid` the algorithm, and some that nobody can use.
    let jwks: String
    /// By name; see the script.
    let tokens: [String: String]

    static let shared = Result { try MintedTokens.make() }

    private static func make() throws -> MintedTokens {
        try JSONDecoder().decode(MintedTokens.self, from: Data(Python.run(script).joined().utf8))
    }

    private static let script = #"""
        import base64, hashlib, hmac, json, time, jwt
        from cryptography.hazmat.primitives import serialization as s
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

        secret = "a secret of this test that has more than 32 bytes"
        keys = {
            "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
            "P384": ec.generate_private_key(ec.SECP384R1()),
            "RSA1024": rsa.generate_private_key(public_exponent=65537, key_size=1024),
        }
        pem = {n: k.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode() for n, k in keys.items()}
        def jwk(name, **more):
            text = jwt.get_algorithm_by_name("ES384" if name == "P384" else name).to_jwk(keys[name].public_key())
            return {**json.loads(text), "kid": name, **more}
        unusable = [jwk("P384"), {"kty": "XYZ", "kid": "x"}, jwk("RS256", kid="RS256", use="enc")]
        jwks = json.dumps({"keys": [jwk("RS256"), jwk("ES256"), jwk("EdDSA", use="sig", alg="EdDSA")] + unusable})

        now = int(time.time())
        good = {"sub": "bob", "exp": now + 3600, "iss": "https://id", "aud": "events"}
        def but(**changes):
            claims = {**good, **changes}
            return {k: v for k, v in claims.items() if v is not None}
        def hs(claims, headers=None, key=secret): return jwt.encode(claims, key, "HS256", headers)
        def b64(data): return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        def by_hand(header, claims, sign):
            signed = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
            return signed + "." + b64(sign(signed.encode()))
        def mac(key): return lambda data: hmac.new(key, data, hashlib.sha256).digest()

        tokens = {
            "hs256": hs(good), "other secret": hs(good, key=secret + "!"),
            "none": by_hand({"alg": "none"}, good, lambda d: b""), "NONE": by_hand({"alg": "nOnE"}, good, mac(secret.encode())),
            "no algorithm": by_hand({"typ": "JWT"}, good, mac(secret.encode())),
            "hs512": jwt.encode(good, secret * 2, "HS512"),
            "expired": hs(but(exp=now - 60)), "within leeway": hs(but(exp=now - 5)), "early": hs(but(nbf=now + 3600)),
            "soon": hs(but(nbf=now + 5)), "endless": hs(but(exp=None)), "odd end": by_hand({"alg": "HS256"}, but(exp="soon"), mac(secret.encode())),
            "other issuer": hs(but(iss="https://evil")), "no issuer": hs(but(iss=None)), "other audience": hs(but(aud="shop")),
            "no audience": hs(but(aud=None)), "audiences": hs(but(aud=["shop", "events"])), "nobody": hs(but(sub=None)),
            "critical": hs(good, {"crit": ["exp"], "exp": 1}),
            "roles": hs(but(roles=["reader", "writer"], realm={"name": "eu"}, level=3, scope="read write")),
            "twice": b64(b'{"alg":"HS256"}') + "." + b64(b'{"sub":"bob","sub":"eve","exp":%d}' % (now + 60)) + ".AAAA",
            "confused": by_hand({"alg": "HS256"}, good, mac(pem["RS256"].encode())),
            "confused kid": by_hand({"alg": "HS256", "kid": "RS256"}, good, mac(pem["RS256"].encode())),
        }
        for name in ["RS256", "ES256", "EdDSA"]:
            tokens[name] = jwt.encode(good, keys[name], name, {"kid": name})
            tokens[name + " without kid"] = jwt.encode(good, keys[name], name)
            tokens[name + " of another"] = jwt.encode(good, keys[name], name, {"kid": "nobody"})
        header, claims, signature = tokens["ES256"].split(".")
        tokens["ES256 in DER"] = header + "." + claims + "." + b64(keys["ES256"].sign((header + "." + claims).encode(), ec.ECDSA(__import__("cryptography.hazmat.primitives.hashes", fromlist=["x"]).SHA256())))
        print(json.dumps({"secret": secret, "pem": pem, "jwks": jwks, "tokens": tokens}))
        """#
}
