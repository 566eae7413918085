import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.acl.common.AclClientRPCHook;
import org.apache.rocketmq.acl.common.SessionCredentials;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.remoting.RPCHook;

/** What a program was told on its command line, as `name=value`, and what all of them tell. */
final class Settings {
  private final Map<String, String> given = new HashMap<>();

  Settings(final String[] arguments) {
    for (final var argument : arguments) {
      final var at = argument.indexOf('=');
      given.put(argument.substring(0, at), argument.substring(at + 1));
    }
  }

  String text(final String name, final String otherwise) {
    return given.getOrDefault(name, otherwise);
  }

  String text(final String name) {
    final var value = given.get(name);
    if (value == null) {
      throw new IllegalArgumentException("say " + name + "=...");
    }
    return value;
  }

  int number(final String name, final int otherwise) {
    final var value = given.get(name);
    return value == null ? otherwise : Integer.parseInt(value);
  }

  /** Signs with `access-key` and `secret`, if they were given. */
  RPCHook signer() {
    final var key = given.get("access-key");
    return key == null ? null : new AclClientRPCHook(new SessionCredentials(key, text("secret")));
  }

  /** A consumer of `topic` in `group`, which begins with the first message if nobody knows the group. */
  DefaultMQPushConsumer consumer(final String tags) throws MQClientException {
    final var consumer = new DefaultMQPushConsumer(text("group"), signer());
    consumer.setNamesrvAddr(text("server"));
    // Two of one name would take each other for the same one.
    consumer.setInstanceName("process-" + ProcessHandle.current().pid());
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.subscribe(text("topic"), tags);
    return consumer;
  }

  /** So many messages are to come. */
  int wanted() {
    return number("count", Integer.MAX_VALUE);
  }

  /** Waits until so many have come, or where no number was given, for the end of standard input. */
  void await(final CountDownLatch all) throws Exception {
    if (wanted() < Integer.MAX_VALUE) {
      all.await();
      return;
    }
    while (System.in.read() >= 0) {
      // Only its end counts.
    }
  }

  /** CPU time of this process so far, in ms. */
  static long cpuMs() {
    final var system = ManagementFactory.getOperatingSystemMXBean();
    return ((com.sun.management.OperatingSystemMXBean) system).getProcessCpuTime() / 1_000_000;
  }

  /** Writes a line at once. */
  static void tell(final String line) {
    System.out.println(line);
    System.out.flush();
  }

  /** Ends without the three seconds that a client of RocketMQ takes to close. */
  static void end() {
    Runtime.getRuntime().halt(0);
  }
}
