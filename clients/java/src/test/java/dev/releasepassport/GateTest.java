package dev.releasepassport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import dev.releasepassport.v1.Decision;
import dev.releasepassport.v1.DecisionServiceGrpc;
import dev.releasepassport.v1.EvaluateRequest;
import dev.releasepassport.v1.EvaluateResponse;
import dev.releasepassport.v1.GetDecisionRequest;
import dev.releasepassport.v1.GetDecisionResponse;
import dev.releasepassport.v1.Verdict;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class GateTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000_000);

  @Test
  void anAllowThatStandsProceeds() throws IOException {
    var answer = asked(allowing().build());
    assertTrue(answer.proceed());
    assertEquals(Verdict.VERDICT_ALLOW, answer.verdict());
  }

  @Test
  void whatCannotBeReliedOnHolds() throws IOException {
    assertHeld("NO_LONGER_VALID", allowing().setValidUntil(Timestamp.newBuilder().setSeconds(NOW.getEpochSecond())).build());
    assertHeld("NO_LONGER_VALID", allowing().clearValidUntil().build());
    assertHeld("DEVELOPMENT_SERVER", allowing().setDev(true).build());
    assertHeld("NOT_RECORDED", allowing().clearName().build());
    assertHeld("VERDICT_UNKNOWN", allowing().setEffectiveVerdictValue(99).build());
    assertHeld("VERDICT_UNKNOWN", allowing().clearEffectiveVerdict().build());
    assertHeld("UNREACHABLE", null);
  }

  @Test
  void aRepeatedAnswerCountsWhileItIsTheNewest() throws IOException {
    assertEquals("NOT_NEWEST", asked(allowing().build(), true, false).reasons().get(0).code());
    assertTrue(asked(allowing().build(), true, true).proceed());
  }

  @Test
  void aBlockStaysABlock() throws IOException {
    var answer = asked(allowing().setEffectiveVerdict(Verdict.VERDICT_BLOCK).build());
    assertFalse(answer.proceed());
    assertEquals(Verdict.VERDICT_BLOCK, answer.verdict());
  }

  private static Decision.Builder allowing() {
    return Decision.newBuilder()
        .setName("d")
        .setEffectiveVerdict(Verdict.VERDICT_ALLOW)
        .setValidUntil(Timestamp.newBuilder().setSeconds(NOW.getEpochSecond() + 60));
  }

  private static void assertHeld(String code, Decision decision) throws IOException {
    var answer = asked(decision);
    assertFalse(answer.proceed());
    assertEquals(Verdict.VERDICT_HOLD, answer.verdict());
    assertEquals(code, answer.reasons().get(0).code());
  }

  private static Gate.Answer asked(Decision decision) throws IOException {
    return asked(decision, false, true);
  }

  private static Gate.Answer asked(Decision decision, boolean replayed, boolean newest) throws IOException {
    String name = InProcessServerBuilder.generateName();
    var service =
        new DecisionServiceGrpc.DecisionServiceImplBase() {
          @Override
          public void evaluate(EvaluateRequest request, StreamObserver<EvaluateResponse> observer) {
            if (decision == null) {
              observer.onError(Status.UNAVAILABLE.asRuntimeException());
              return;
            }
            observer.onNext(EvaluateResponse.newBuilder().setDecision(decision).setReplayed(replayed).build());
            observer.onCompleted();
          }

          @Override
          public void getDecision(GetDecisionRequest request, StreamObserver<GetDecisionResponse> observer) {
            observer.onNext(GetDecisionResponse.newBuilder().setDecision(decision).setNewest(newest).build());
            observer.onCompleted();
          }
        };
    var server = InProcessServerBuilder.forName(name).directExecutor().addService(service).build().start();
    var channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    try {
      return new Gate(channel, () -> "token", Clock.fixed(NOW, ZoneOffset.UTC)).ask("r");
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
    }
  }
}
