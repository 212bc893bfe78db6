package dev.maas.stellar;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.http.HttpHeaders;
import org.apache.http.HttpResponse;
import org.apache.http.NameValuePair;
import org.apache.http.client.HttpClient;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.utils.URLEncodedUtils;
import org.apache.http.impl.client.DefaultHttpClient;
import org.apache.http.message.BasicNameValuePair;
import org.apache.http.util.EntityUtils;
import org.codehaus.jackson.map.ObjectMapper;

/**
 * The HTTP call of a model, as the client in the field makes it: one connection a thread, kept alive, without a
 * timeout of any kind. An answer other than 200 that has a body is dropped unread, and the thread's only connection
 * with it: from then on that thread cannot call any model.
 */
@SuppressWarnings("deprecation") // the client of the field
final class ModelCall {
  /** The model answered, but not with 200. */
  static final class StatusException extends IOException {
    private static final long serialVersionUID = 1L;

    StatusException(int status) {
      super("status " + status);
    }
  }

  /** The model answered 200 with something that is not a JSON object. */
  static final class AnswerException extends IOException {
    private static final long serialVersionUID = 1L;

    AnswerException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private static final ThreadLocal<HttpClient> CLIENT =
      ThreadLocal.withInitial(DefaultHttpClient::new);

  private static final ObjectMapper JSON = new ObjectMapper();

  private ModelCall() {}

  static Map<String, Object> get(String url, Map<String, String> arguments) throws IOException, URISyntaxException {
    List<NameValuePair> pairs = new ArrayList<>();
    arguments.forEach((key, value) -> pairs.add(new BasicNameValuePair(key, value)));
    HttpGet request = new HttpGet(new URL(new URL(url) + "?" + URLEncodedUtils.format(pairs, "UTF-8")).toURI());
    request.addHeader(HttpHeaders.ACCEPT, "application/json");
    HttpResponse response = CLIENT.get().execute(request);
    int status = response.getStatusLine().getStatusCode();
    if (status != 200) {
      throw new StatusException(status);
    }
    if (response.getEntity() == null) {
      throw new AnswerException("the answer is empty", null);
    }
    return object(EntityUtils.toString(response.getEntity(), "UTF-8"));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(String body) throws IOException {
    try {
      Map<String, Object> answer = JSON.readValue(body, Map.class);
      if (answer == null) {
        throw new AnswerException("the answer is null", null);
      }
      return answer;
    } catch (AnswerException already) {
      throw already;
    } catch (IOException reason) {
      throw new AnswerException("the answer is not a JSON object", reason);
    }
  }
}
