// A broker for the tests that need one of another kind: HiveMQ CE, which writes `event.log`.
//
// java HiveMq CONF DATA   runs as CONF says, says when and where it listens, and ends with its input

import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Path;

public final class HiveMq {
  public static void main(final String[] folders) throws Exception {
    final var data = Path.of(folders[1]);
    EmbeddedHiveMQ.builder()
        .withConfigurationFolder(Path.of(folders[0]))
        .withDataFolder(data)
        .withExtensionsFolder(data)
        .build()
        .start()
        .join();
    while (System.in.read() >= 0) {
      // Only its end counts.
    }
    System.exit(0);
  }
}
