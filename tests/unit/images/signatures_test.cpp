// Signatures as cosign lays them down, made with `openssl dgst -sha256 -sign`.
#include "core/images/signatures.hpp"

#include <gtest/gtest.h>

namespace deployctl::images {
namespace {

// The private key is kept nowhere.
constexpr const char* key_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMCsdz3Aq9Scmv+oeh84IPY6v7esD\n"
    "y+RPw3WC4RrmjOmysci+WzuTlh613SWlb9uFIv1jaRlFrbnB66iYAWqHCQ==\n"
    "-----END PUBLIC KEY-----\n";

constexpr const char* manifest = R"({"schemaVersion":2,"config":{}})";

struct ClaimRow {
  std::string problem;
  std::string payload;
  std::string signature;
};

constexpr auto claim_of_api =
    R"({"critical":{"identity":{"docker-reference":"r.example/shop/api"},"image":{"docker-manifest-dige)"
    R"(st":"sha256:fc6b27d31f093fca2791259bc5f1f885b0616677300f02a729ff7a782d4325fc"},"type":"cosign co)"
    R"(ntainer image signature"},"optional":null})";

const ClaimRow claims[] = {
    {"", claim_of_api,
     "MEUCIAyG94ecqtBQ2YI1ZWTu1UDgE3u71oXMjVaB/VV1fe7MAiEA8/cPnu+fUtEtHf1DIG7IjCreF48dWBKXOIaj8vfYpvw="},
    {"it was made with another key", claim_of_api,
     "MEQCIDdwHfagbzbaIAdMSGPhI4Zn5FFwBU4geBiuIbIytbFXAiBtTxpTRV8PJ9J8jDzIzHSxhE7garECPUHue4INpyJ+Kw=="},
    {"it was made with another key",
     R"({"critical":{"identity":{"docker-reference":"r.example/shop/web"},"image":{"docker-manifest-dige)"
     R"(st":"sha256:fc6b27d31f093fca2791259bc5f1f885b0616677300f02a729ff7a782d4325fc"},"type":"cosign co)"
     R"(ntainer image signature"},"optional":null})",
     "MEYCIQDq+ERW3l33cLDkGWovEFQml9buP+95ZMloicwpAHKFrQIhANuxPC9SrcSopbBE8r5bZ5HAFj5OFajakwvJ2+nBTD2q"},
    {"it was made with another key", claim_of_api, "!no base64!"},
    {"it was made with another key", claim_of_api, ""},
    {"it is of another image",
     R"({"critical":{"identity":{"docker-reference":"r.example/shop/api"},"image":{"docker-manifest-dige)"
     R"(st":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"type":"cosign co)"
     R"(ntainer image signature"},"optional":null})",
     "MEUCIA26EjcfG+2RhuydHDhR9YAIpODqa/7xz60PT186zM5AAiEA4Jt9OpdxVcLu9Tw9A6bD9//X0C76FblJL7Q2qb+mFqo="},
    {"what it signs is no claim of cosign's",
     R"({"critical":{"identity":{"docker-reference":"r.example/shop/api"},"image":{"docker-manifest-dige)"
     R"(st":"sha256:fc6b27d31f093fca2791259bc5f1f885b0616677300f02a729ff7a782d4325fc"},"type":"something)"
     R"("},"optional":null})",
     "MEUCIBHbyodz4YALUEM/jHPk+LH26XqPPEUunpUChbXnQ/1nAiEAqmZLwLGLJ99lY5/xgPjo/jU4V3hryS1Q2+hwmZnTrg4="},
    {"what it signs is no JSON", R"({)",
     "MEYCIQDbDfWHAK2CohkTHPoMl499G/IyKHuGbT7V0rKzsKl8jgIhAL2SQ9p7vuyG+JLqLHBPaKkNIftS2rF+9WHBJj5TNDdg"},
};

struct BundleRow {
  std::string problem;
  std::string bundle;
};

const BundleRow bundles[] = {
    {"", R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
         R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
         R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiZmM2YjI3ZDMxZjA5M2ZjYTI3OTEyNTliYzVmMWY4ODViMDYxNj)"
         R"(Y3NzMwMGYwMmE3MjlmZjdhNzgyZDQzMjVmYyJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3)"
         R"(NpZ24vc2lnbi92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures)"
         R"(":[{"sig":"MEUCIHnrlFfwbE08h0RfbMeSYC9ZsZsNAiltshefufB6dNNAAiEAuDeGPgwqqPIQL0A6k2sLY4SVO2iwXxtjT)"
         R"(o378afCG1c="}]}})"},
    {"", R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"messageDigest")"
         R"(:{"algorithm":"SHA2_256","digest":"/Gsn0x8JP8onkSWbxfH4hbBhZncwDwKnKf96eC1DJfw="},"signature":"M)"
         R"(EYCIQCHjkGprrk2d5RQ9sHnO8T9wsoXorp+4hnN4+VYFrVnwQIhAOd0+UF7HbvRTE3yg4Ch8gfXirDbhj8rn10U/raiCs1J")"
         R"(}})"},
    {"it was made with another key",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
     R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
     R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiZmM2YjI3ZDMxZjA5M2ZjYTI3OTEyNTliYzVmMWY4ODViMDYxNj)"
     R"(Y3NzMwMGYwMmE3MjlmZjdhNzgyZDQzMjVmYyJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3)"
     R"(NpZ24vc2lnbi92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures)"
     R"(":[{"sig":"MEUCIQD+k5i9RTKa2RbNJbFQb0wXq3NWsGNTHLELheMdbkEc/AIgBSREhXlSnSaoZJn2hdCc0gHf7vz+yG0gB)"
     R"(tfzbP9XGXY="}]}})"},
    {"it was made with another key",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"messageDigest")"
     R"(:{"algorithm":"SHA2_256","digest":"/Gsn0x8JP8onkSWbxfH4hbBhZncwDwKnKf96eC1DJfw="},"signature":"M)"
     R"(EQCIE3Lw+ANHnFT9oWjmeCYK02nYkOLXilYp8Ov3ju5u4EGAiABL3B83NWAdoTu77yxFsQciG2notAFFypVPctY3jnCIw==")"
     R"(}})"},
    {"it was made with another key",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{"messageDigest")"
     R"(:{"algorithm":"SHA2_256","digest":"RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="},"signature":"M)"
     R"(EUCIH44UUDVQuP57gx/a198oCY/84mJGQtB8VKkvQPwqEa0AiEAjv2TX9vbG5UuAw/1trFwQOcvl/zIYN7ZcwufU6OYQYA=")"
     R"(}})"},
    {"it was made with another key",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
     R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
     R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiZmM2YjI3ZDMxZjA5M2ZjYTI3OTEyNTliYzVmMWY4ODViMDYxNj)"
     R"(Y3NzMwMGYwMmE3MjlmZjdhNzgyZDQzMjVmYyJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3)"
     R"(NpZ24vc2lnbS92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures)"
     R"(":[{"sig":"MEUCIEqrXCAVnGBenAl91U53CQsSXqpPgfkptn3OwK+g54bGAiEA81IarCsZCUXzNT78/paFUtzWZhIOhl6G0)"
     R"(z5ZxGcwuRw="}]}})"},
    {"it is of another image",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
     R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
     R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD)"
     R"(AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3)"
     R"(NpZ24vc2lnbi92MSIsInByZWRpY2F0ZSI6e319","payloadType":"application/vnd.in-toto+json","signatures)"
     R"(":[{"sig":"MEUCIGXwXeCv3+QMJc/ImfR66hexPk56c9qV4jF4mV9xDSq3AiEAzZmR+3iNsUPZkAiLmkTDszAZcNebQrhmp)"
     R"(MgUU+dyosE="}]}})"},
    {"it signs something that is said of an image, not the image",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
     R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
     R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiZmM2YjI3ZDMxZjA5M2ZjYTI3OTEyNTliYzVmMWY4ODViMDYxNj)"
     R"(Y3NzMwMGYwMmE3MjlmZjdhNzgyZDQzMjVmYyJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3Nsc2EuZGV2L3Byb3Zlbm)"
     R"(FuY2UvdjEiLCJwcmVkaWNhdGUiOnt9fQ==","payloadType":"application/vnd.in-toto+json","signatures":[{)"
     R"("sig":"MEQCIG7kaTC7I/XkJnZIPT86f0Xj1022wjEOoktrKm9LH2l6AiAuF6usd+2jULeBANWPF4kOzouSXC6+fjAj1rgcP)"
     R"(Wa0Ag=="}]}})"},
    {"it holds no statement",
     R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey")"
     R"(:{"hint":"x"}},"dsseEnvelope":{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdj)"
     R"(EiLCJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiZmM2YjI3ZDMxZjA5M2ZjYTI3OTEyNTliYzVmMWY4ODViMDYxNj)"
     R"(Y3NzMwMGYwMmE3MjlmZjdhNzgyZDQzMjVmYyJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL3NpZ3N0b3JlLmRldi9jb3)"
     R"(NpZ24vc2lnbi92MSIsInByZWRpY2F0ZSI6e319","payloadType":"text/plain","signatures":[{"sig":"MEQCIDI)"
     R"(SLJghT+F15WynDGnK7xcynnEetE3aUKGMc3DsP8A6AiAx23sjEqkxdvPZrmQi90OVO64PBbIpONeP1Z0fJPUdhg=="}]}})"},
    {"it was made with another key", R"({})"},
    {"the bundle is no JSON", R"(x)"},
};

oci::PublicKey key() {
  return *oci::PublicKey::from_pem(key_pem);
}

TEST(ProblemWithPayload, IsNoneWhenTheKeySignedAClaimOfThatImage) {
  for (const auto& row : claims) {
    EXPECT_EQ(problem_with_payload(row.payload, row.signature, oci::Digest::of(manifest), key()), row.problem)
        << row.payload;
  }
}

TEST(ProblemWithBundle, IsNoneWhenTheKeySignedThatImage) {
  for (const auto& row : bundles) {
    EXPECT_EQ(problem_with_bundle(row.bundle, manifest, key()), row.problem) << row.bundle;
  }
}

TEST(SignedImage, NeedsOneSignatureThatCounts) {
  SignedImage image{.digest = oci::Digest::of(manifest), .signatures = {}};
  EXPECT_FALSE(image.is_verified());
  image.signatures.push_back({.layout = Signature::Layout::tag, .manifest = {}, .problem = "it is of another image"});
  EXPECT_FALSE(image.is_verified());
  image.signatures.push_back({.layout = Signature::Layout::bundle, .manifest = {}, .problem = ""});
  EXPECT_TRUE(image.is_verified());
}

}  // namespace
}  // namespace deployctl::images
