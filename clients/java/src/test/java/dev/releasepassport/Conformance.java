package dev.releasepassport;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorInfo;
import dev.releasepassport.v1.EvaluateRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Runs the lines of the table of all clients with the generated code: each a call, and what it came to. */
public final class Conformance {
  private static final Metadata.Key<String> HEADER = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final int LONGEST = 64 * 1024 * 1024;

  private Conformance() {}

  /** Answers each line. */
  public static void main(String[] arguments) throws Exception {
    var trusted = TlsChannelCredentials.newBuilder().trustManager(new File(System.getenv("PASSPORT_CA"))).build();
    var opened = Grpc.newChannelBuilder(System.getenv("PASSPORT_ADDRESS"), trusted).maxInboundMessageSize(LONGEST).build();
    var headers = new Metadata();
    headers.put(HEADER, "Bearer " + System.getenv("PASSPORT_TOKEN"));
    var channel = ClientInterceptors.intercept(opened, MetadataUtils.newAttachHeadersInterceptor(headers));
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(answered(channel, JsonParser.parseString(line).getAsJsonObject()));
    }
    opened.shutdownNow();
  }

  private static JsonObject answered(Channel channel, JsonObject line) throws Exception {
    String[] call = line.get("call").getAsString().split("/");
    var method = method(call[0], call[1]);
    var prototype = (Message) ((MethodDescriptor.PrototypeMarshaller<?>) method.getRequestMarshaller()).getMessagePrototype();
    var request = prototype.newBuilderForType();
    JsonFormat.parser().merge(line.get("request").toString(), request);
    var said = new JsonObject();
    if (line.has("gate")) {
      said.add("gate", gated(new Gate(channel, () -> System.getenv("PASSPORT_TOKEN")), request.build()));
      return said;
    }
    try {
      double seconds = line.has("timeout") ? line.get("timeout").getAsDouble() : 30;
      var options = CallOptions.DEFAULT.withDeadlineAfter((long) (seconds * 1000), TimeUnit.MILLISECONDS);
      var answer = (Message) ClientCalls.blockingUnaryCall(channel, method, options, request.build());
      said.add("answer", JsonParser.parseString(JsonFormat.printer().print(answer)));
    } catch (StatusRuntimeException failure) {
      var error = new JsonObject();
      error.addProperty("code", failure.getStatus().getCode().name());
      error.addProperty("reason", reason(failure));
      said.add("error", error);
    }
    return said;
  }

  private static JsonObject gated(Gate gate, Message request) {
    var answer = gate.ask(((EvaluateRequest) request).getRelease());
    var codes = new JsonArray();
    answer.reasons().forEach(reason -> codes.add(reason.code()));
    var said = new JsonObject();
    said.addProperty("verdict", answer.verdict().name());
    said.addProperty("proceed", answer.proceed());
    said.add("reasons", codes);
    return said;
  }

  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Object, Object> method(String service, String name) throws Exception {
    var stubs = Class.forName("dev.releasepassport.v1." + service + "Grpc");
    var described = (ServiceDescriptor) stubs.getMethod("getServiceDescriptor").invoke(null);
    for (var method : described.getMethods()) {
      if (method.getBareMethodName().equals(name)) {
        return (MethodDescriptor<Object, Object>) method;
      }
    }
    throw new IllegalArgumentException("no method " + service + "/" + name);
  }

  private static String reason(StatusRuntimeException failure) throws Exception {
    var status = StatusProto.fromThrowable(failure);
    if (status != null) {
      for (var detail : status.getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          return detail.unpack(ErrorInfo.class).getReason();
        }
      }
    }
    return "";
  }
}
