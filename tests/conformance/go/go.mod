module release-passport.dev/conformance

go 1.24.0

require (
	github.com/in-toto/attestation v1.1.2
	github.com/secure-systems-lab/go-securesystemslib v0.9.1
	github.com/transparency-dev/merkle v0.0.2
	golang.org/x/mod v0.30.0
	google.golang.org/protobuf v1.36.6
)

require (
	golang.org/x/crypto v0.40.0 // indirect
	golang.org/x/sys v0.34.0 // indirect
)
