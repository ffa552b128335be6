// Package passport is the client of Release Passport: a connection with credentials and safe retries, a gate that fails
// closed, and a watcher that goes on over restarts of servers.
//
// The calls themselves are the generated ones: a Client is a grpc.ClientConnInterface, so that
// passportv1.NewReleaseServiceClient(client) and its like give every RPC of the contract.
package passport

// Version is the version of this package.
const Version = "0.1.0"
