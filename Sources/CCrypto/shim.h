// OpenSSL's libcrypto: digests, HMAC, AES-256-GCM, and checking signatures of JSON Web Tokens (RFC 7518, RFC 8037).
#pragma once
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

/// SHA-256 of some bytes.
static inline void ccrypto_sha256(const void *bytes, size_t count, unsigned char digest[32]) {
    SHA256((const unsigned char *)bytes, count, digest);
}

/// HMAC-SHA-256; 1 on success.
static inline int ccrypto_hmac_sha256(
    const void *key, size_t key_count, const void *bytes, size_t count, unsigned char code[32]) {
    unsigned int written = 0;
    return HMAC(EVP_sha256(), key, (int)key_count, (const unsigned char *)bytes, count, code, &written) != NULL
        && written == 32;
}

/// Compares in a time that does not depend on the bytes; 1 if they are the same.
static inline int ccrypto_equal(const void *left, const void *right, size_t count) {
    return CRYPTO_memcmp(left, right, count) == 0;
}

/// Random bytes that nobody can guess; 1 on success.
static inline int ccrypto_random(unsigned char *bytes, size_t count) {
    return RAND_bytes(bytes, (int)count) == 1;
}

/// Encrypts with AES-256-GCM (NIST SP 800-38D): writes as many bytes as there are, and a tag of 16 behind them. A nonce is used
/// only once with a key; `context` is covered by the tag, and not encrypted. 1 on success.
static inline int ccrypto_seal(
    const unsigned char key[32], const unsigned char nonce[12], const void *context, size_t context_count, const void *bytes,
    size_t count, unsigned char *sealed) {
    int written = 0, rest = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int result = cipher != NULL && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1
        && EVP_EncryptUpdate(cipher, NULL, &written, (const unsigned char *)context, (int)context_count) == 1
        && EVP_EncryptUpdate(cipher, sealed, &written, (const unsigned char *)bytes, (int)count) == 1
        && EVP_EncryptFinal_ex(cipher, sealed + written, &rest) == 1
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, sealed + count) == 1;
    EVP_CIPHER_CTX_free(cipher);
    ERR_clear_error();
    return result && written + rest == (int)count;
}

/// Decrypts what `ccrypto_seal` has made of `count` bytes; 1 if key, nonce, context and all bytes are the same as then.
static inline int ccrypto_unseal(
    const unsigned char key[32], const unsigned char nonce[12], const void *context, size_t context_count,
    const unsigned char *sealed, size_t count, unsigned char *bytes) {
    int written = 0, rest = 0;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int result = cipher != NULL && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) == 1
        && EVP_DecryptUpdate(cipher, NULL, &written, (const unsigned char *)context, (int)context_count) == 1
        && EVP_DecryptUpdate(cipher, bytes, &written, sealed, (int)count) == 1
        && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(sealed + count)) == 1
        && EVP_DecryptFinal_ex(cipher, bytes + written, &rest) == 1;
    EVP_CIPHER_CTX_free(cipher);
    ERR_clear_error();
    return result && written + rest == (int)count;
}

/// A public key from PEM (SubjectPublicKeyInfo); NULL if there is none.
static inline EVP_PKEY *ccrypto_public_key_pem(const void *bytes, size_t count) {
    BIO *source = BIO_new_mem_buf(bytes, (int)count);
    if (source == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PUBKEY(source, NULL, NULL, NULL);
    BIO_free(source);
    ERR_clear_error();
    return key;
}

static inline EVP_PKEY *ccrypto_key_from(const char *type, OSSL_PARAM_BLD *builder) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters != NULL && context != NULL && EVP_PKEY_fromdata_init(context) == 1) {
        if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    ERR_clear_error();
    return key;
}

/// An RSA public key from its big-endian modulus and exponent; NULL if they are none.
static inline EVP_PKEY *ccrypto_rsa_key(
    const unsigned char *modulus, size_t modulus_count, const unsigned char *exponent, size_t exponent_count) {
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_count, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_count, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n != NULL && e != NULL && builder != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        key = ccrypto_key_from("RSA", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

/// A public key on P-256 from its uncompressed point (0x04, x, y); NULL if the point is not on the curve.
static inline EVP_PKEY *ccrypto_p256_key(const unsigned char point[65]) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder != NULL
        && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, 65) == 1) {
        key = ccrypto_key_from("EC", builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/// An Ed25519 public key; NULL if the bytes are none.
static inline EVP_PKEY *ccrypto_ed25519_key(const unsigned char bytes[32]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, 32);
    ERR_clear_error();
    return key;
}

/// What a key can check: 1 RSA of at least 2,048 bits, 2 ECDSA on P-256, 3 Ed25519, 0 nothing that is used here.
static inline int ccrypto_key_kind(EVP_PKEY *key) {
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return EVP_PKEY_get_bits(key) >= 2048 ? 1 : 0;
    case EVP_PKEY_ED25519: return 3;
    case EVP_PKEY_EC: {
        char group[64];
        size_t count = 0;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, &count) != 1) return 0;
        return strcmp(group, "prime256v1") == 0 ? 2 : 0;
    }
    default: return 0;
    }
}

/// Checks a signature; 1 if it is the key's. `digest` is 0 for Ed25519, which hashes by itself.
static inline int ccrypto_verify(
    EVP_PKEY *key, int digest, const unsigned char *signature, size_t signature_count, const void *bytes, size_t count) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int result = 0;
    if (context != NULL && EVP_DigestVerifyInit(context, NULL, digest ? EVP_sha256() : NULL, NULL, key) == 1) {
        result = EVP_DigestVerify(context, signature, signature_count, (const unsigned char *)bytes, count) == 1;
    }
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return result;
}

/// Checks an ECDSA signature as JWS has it, r and s of 32 bytes each; 1 if it is the key's.
static inline int ccrypto_verify_p256(
    EVP_PKEY *key, const unsigned char signature[64], const void *bytes, size_t count) {
    int result = 0;
    unsigned char *encoded = NULL;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL);
    BIGNUM *s = BN_bin2bn(signature + 32, 32, NULL);
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        // The pair owns both from here on.
        r = NULL;
        s = NULL;
        int encoded_count = i2d_ECDSA_SIG(pair, &encoded);
        if (encoded_count > 0) result = ccrypto_verify(key, 1, encoded, (size_t)encoded_count, bytes, count);
    }
    OPENSSL_free(encoded);
    ECDSA_SIG_free(pair);
    BN_free(r);
    BN_free(s);
    return result;
}
