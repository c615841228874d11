// The extension `_server`: the server's data plane as Python starts, fills and stops it. An extension of its
// own, so that programs that only predict load neither OpenSSL nor the rest.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "figures.h"
#include "live_profile.h"
#include "load.h"
#include "maas/base/error.h"
#include "maas/serve/batch.h"
#include "maas/serve/describe.h"
#include "maas/serve/process.h"
#include "maas/serve/server.h"

namespace py = pybind11;

namespace {

using maas::serve::ControlReply;
using maas::serve::ControlRequest;
using maas::serve::ServedModel;
using maas::serve::Server;
using maas::serve::ServerOptions;
using maas::serve::Token;

// Raises the class of maas_engine.errors that `_core` raises for this code.
void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const maas::Error& error) {
    const char* names[] = {"InvalidArgument",  "FormatError", "NotFound",         "Unsupported",
                           "PermissionDenied", "Overloaded",  "DeadlineExceeded", "Internal"};
    const py::object type =
        py::module_::import("maas_engine.errors").attr(names[static_cast<int>(error.code())]);
    PyErr_SetString(type.ptr(), error.what());
  }
}

// What guards the server. False for another option.
bool read_limit(const std::string& name, const py::handle& value, ServerOptions& options) {
  const std::map<std::string_view, size_t ServerOptions::*> sizes = {
      {"connections", &ServerOptions::connections},
      {"memory_bytes", &ServerOptions::memory_bytes},
      {"frame_bytes", &ServerOptions::frame_bytes},
      {"expanded_bytes", &ServerOptions::expanded_bytes},
      {"large_queue_rows", &ServerOptions::large_queue_rows}};
  const std::map<std::string_view, uint32_t ServerOptions::*> seconds = {
      {"idle_seconds", &ServerOptions::idle_seconds},
      {"head_seconds", &ServerOptions::head_seconds},
      {"body_seconds", &ServerOptions::body_seconds},
      {"write_seconds", &ServerOptions::write_seconds}};
  const std::map<std::string_view, std::string ServerOptions::*> texts = {
      {"tls_cert", &ServerOptions::tls_cert},
      {"tls_key", &ServerOptions::tls_key},
      {"tls_client_ca", &ServerOptions::tls_client_ca}};
  const std::map<std::string_view, bool ServerOptions::*> flags = {
      {"open_health", &ServerOptions::open_health}, {"open_metrics", &ServerOptions::open_metrics}};
  if (const auto size = sizes.find(name); size != sizes.end()) {
    options.*size->second = py::cast<size_t>(value);
  } else if (const auto time = seconds.find(name); time != seconds.end()) {
    options.*time->second = py::cast<uint32_t>(value);
  } else if (const auto text = texts.find(name); text != texts.end()) {
    options.*text->second = py::cast<std::string>(value);
  } else if (const auto flag = flags.find(name); flag != flags.end()) {
    options.*flag->second = py::cast<bool>(value);
  } else if (name == "head_bytes") {
    options.http.head = py::cast<size_t>(value);
  } else if (name == "body_bytes") {
    options.http.body = py::cast<size_t>(value);
  } else if (name == "anonymous") {
    options.anonymous = py::cast<std::optional<bool>>(value);
  } else {
    return false;
  }
  return true;
}

// Rows as registry.TokenTable.rows() gives them: (id, sha256, scopes, expires).
std::vector<Token> read_tokens(const py::iterable& rows) {
  std::vector<Token> tokens;
  for (const py::handle row : rows) {
    auto [id, sha256, scopes, expires] =
        py::cast<std::tuple<std::string, py::bytes, std::vector<std::string>, std::optional<int64_t>>>(row);
    const std::string_view digest = sha256;
    Token token{std::move(id), {}, std::move(scopes), expires};
    if (digest.size() != token.sha256.size())
      maas::throw_invalid("serve", "expected sha256 of a token in " + std::to_string(token.sha256.size()) +
                                       " bytes, got " + std::to_string(digest.size()));
    std::memcpy(token.sha256.data(), digest.data(), digest.size());
    tokens.push_back(std::move(token));
  }
  return tokens;
}

ServerOptions read_options(const py::dict& given) {
  ServerOptions options;
  for (const auto& [key, value] : given) {
    const auto name = py::cast<std::string>(key);
    if (name == "host") {
      options.host = py::cast<std::string>(value);
    } else if (name == "http_port") {
      options.http_port = py::cast<int>(value);
    } else if (name == "tcp_port") {
      options.tcp_port = py::cast<int>(value);
    } else if (name == "threads") {
      options.threads = py::cast<int>(value);
    } else if (name == "compute_threads") {
      options.compute_threads = py::cast<int>(value);
    } else if (name == "access_log") {
      options.access_log = py::cast<std::string>(value);
    } else if (name == "batch_wait_us") {
      const auto wait = py::cast<int64_t>(value);
      if (wait < 0 || wait > 1'000'000)
        maas::throw_invalid("serve",
                            "expected a batch to wait for 0 to 1000000 us, got " + std::to_string(wait));
      options.batch_wait_us = static_cast<uint32_t>(wait);
    } else if (name == "access_log_sample") {
      options.access_log_sample = py::cast<double>(value);
    } else if (name == "control_requests") {
      options.control_requests = py::cast<size_t>(value);
    } else if (!read_limit(name, value, options)) {
      maas::throw_invalid("serve", "expected an option of the server, got '" + name + "'");
    }
  }
  if (options.threads < 1 || options.compute_threads < 1)
    maas::throw_invalid("serve", "expected at least one thread");
  return options;
}

py::bytes as_bytes(const std::string& text) { return {text.data(), text.size()}; }

// (id, method, target, header fields, body), all but the first as bytes; None once the server is stopped.
py::object next_request(Server& server) {
  std::optional<ControlRequest> request;
  {
    const py::gil_scoped_release free;
    request = server.control().next();
  }
  if (!request) return py::none();
  py::list fields;
  for (const auto& [name, value] : request->fields)
    fields.append(py::make_tuple(as_bytes(name), as_bytes(value)));
  return py::make_tuple(request->id, as_bytes(request->method), as_bytes(request->target), fields,
                        as_bytes(request->body));
}

bool answer(Server& server, uint64_t id, int status, const py::list& fields, const py::bytes& body) {
  ControlReply reply;
  reply.status = status;
  for (const py::handle each : fields) {
    auto [name, value] = py::cast<std::pair<std::string, std::string>>(each);
    reply.fields.emplace_back(std::move(name), std::move(value));
  }
  reply.body = body;
  return server.control().answer(id, std::move(reply));
}

}  // namespace

PYBIND11_MODULE(_server, module) {
  py::register_local_exception_translator(translate);
  maas::bindings::bind_load_generator(module);
  module.def("release_large_blocks", &maas::serve::release_large_blocks);
  py::class_<Server>(module, "Server")
      .def(py::init([](const py::dict& options) { return std::make_unique<Server>(read_options(options)); }),
           py::arg("options"), py::pos_only())
      .def("start", &Server::start, py::call_guard<py::gil_scoped_release>())
      .def(
          "stop",
          [](Server& server, double patience) {
            server.stop(std::chrono::milliseconds(static_cast<int64_t>(1000 * patience)));
          },
          py::arg("patience"), py::pos_only(), py::call_guard<py::gil_scoped_release>())
      .def("renew_tls", &Server::renew_tls, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("http_port", &Server::http_port)
      .def_property_readonly("tcp_port", &Server::tcp_port)
      .def_property_readonly("connection_limit", &Server::connection_limit)
      .def(
          "set_model",
          [](Server& server, std::string name, std::string version, const py::bytes& onnx,
             const std::optional<maas::bindings::ProfileBytes>& profile) {
            const std::string_view bytes = onnx;
            const py::gil_scoped_release free;
            auto model = std::make_shared<ServedModel>(std::move(name), std::move(version), bytes);
            if (profile) model->watch(maas::bindings::live_profile(model->program(), *profile));
            maas::serve::warm(*model);
            server.models().set(std::move(model));
          },
          py::arg("name"), py::arg("version"), py::arg("onnx"), py::arg("profile") = py::none(),
          py::pos_only())
      .def(
          "live_profile",
          [](Server& server, const std::string& name, const std::string& version) {
            return maas::bindings::read_live_profile(server.models(), name, version);
          },
          py::arg("name"), py::arg("version"), py::pos_only())
      .def(
          "remove_model",
          [](Server& server, const std::string& name, const std::string& version) {
            return server.remove(name, version);
          },
          py::arg("name"), py::arg("version"), py::pos_only())
      .def(
          "metadata",
          [](Server& server, const std::string& name, const std::string& version) {
            maas::serve::ModelReader reader(server.models());
            return maas::serve::model_metadata(reader, name, version);
          },
          py::arg("name"), py::arg("version"), py::pos_only())
      .def("figures",
           [](const Server& server) {
             maas::serve::Figures figures;
             {
               const py::gil_scoped_release free;
               figures = server.figures();
             }
             return maas::bindings::as_dict(figures);
           })
      .def(
          "set_tokens",
          [](Server& server, const py::iterable& rows) { server.tokens().set(read_tokens(rows)); },
          py::arg("rows"), py::pos_only())
      .def("next_request", &next_request)
      .def("answer", &answer, py::arg("id"), py::arg("status"), py::arg("fields"), py::arg("body"),
           py::pos_only())
      .def(
          "set_readiness",
          [](Server& server, std::map<std::string, std::string> missing, std::string note) {
            server.readiness().set({{missing.begin(), missing.end()}, std::move(note)});
          },
          py::arg("missing"), py::arg("note"), py::pos_only());
}
