# wire/ and serve/: a library of their own, so that the engine's own needs none of these.
find_package(simdjson REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_path(BOOST_INCLUDE boost/asio.hpp REQUIRED)  # Asio and Beast: headers only

add_library(maas_serve STATIC ${serve_sources})
target_include_directories(maas_serve SYSTEM PRIVATE ${BOOST_INCLUDE})
target_link_libraries(maas_serve PUBLIC maas PRIVATE simdjson::simdjson OpenSSL::SSL ZLIB::ZLIB)
# simdjson's parser is chosen when it is compiled: SSE4.2 with carry-less products, which every x86-64 server of
# the last ten years has, instead of byte by byte.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set_source_files_properties(cpp/maas/wire/infer_decoder.cc cpp/maas/wire/json_tensor.cc PROPERTIES COMPILE_OPTIONS -mpclmul)
endif()
