package dev.maas.stellar;

/** The command line; see the README beside the sources. */
public final class Main {
  private Main() {}

  public static void main(String[] all) {
    int status = 0;
    Lines lines = new Lines();
    try {
      run(lines, all);
    } catch (IllegalArgumentException usage) {
      lines.print("usage", "error", Lines.shown(usage));
      status = 2;
    } catch (Exception reason) {
      lines.print("broken", "error", Lines.shown(reason));
      status = 1;
    }
    // Callers that wait for a model without end must not keep the program.
    System.exit(status);
  }

  private static void run(Lines lines, String[] all) throws Exception {
    String command = all.length == 0 ? "" : all[0];
    Arguments arguments = new Arguments(all, 1);
    switch (command) {
      case "follow":
        new Follow(lines).run(arguments);
        break;
      case "list":
        Follow.list(lines, arguments);
        break;
      case "apply":
        new Calls(lines).apply(arguments);
        break;
      case "call":
        new Calls(lines).call();
        break;
      case "load":
        new Calls(lines).load(arguments);
        break;
      case "enqueue":
        new DeployClient(lines).enqueue(arguments);
        break;
      case "legacy-list":
        new DeployClient(lines).list(arguments);
        break;
      case "codec":
        new Codec(lines).run();
        break;
      case "nodes":
        new Nodes(lines).run(arguments);
        break;
      default:
        throw new IllegalArgumentException("follow, list, apply, call, load, enqueue, legacy-list, nodes or codec?");
    }
  }
}
