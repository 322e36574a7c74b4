# The layers of the program, lowest first. A module may depend only on modules that stand before it here;
# deployctl_module() refuses anything else, and tests/layers checks the #include lines against the same list.
set(DEPLOYCTL_MODULES
  base
  json io
  yaml events
  http templating oci kube
  sbom
  project engine registry cluster
  native
  images
  generate
  canary
  plan
  execute platform
)

# deployctl_module(<name> SOURCES <file>… [DEPENDS <module>…] [LIBRARIES <target>…] [PUBLIC_LIBRARIES <target>…])
#
# One folder below core/ = one namespace = one static library. DEPENDS names modules, which reach the dependants too;
# LIBRARIES are outside libraries that only this module's .cpp files see.
function(deployctl_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  list(FIND DEPLOYCTL_MODULES "${name}" own_place)
  if(own_place EQUAL -1)
    message(FATAL_ERROR "module '${name}' is not in the list of layers in core/modules.cmake")
  endif()
  foreach(dependency IN LISTS ARG_DEPENDS)
    list(FIND DEPLOYCTL_MODULES "${dependency}" place)
    if(place EQUAL -1)
      message(FATAL_ERROR "module '${name}' depends on '${dependency}', which is not a module")
    elseif(place GREATER_EQUAL own_place)
      message(FATAL_ERROR "module '${name}' may not depend on '${dependency}': it stands later in core/modules.cmake")
    endif()
  endforeach()
  list(TRANSFORM ARG_DEPENDS PREPEND "deployctl_" OUTPUT_VARIABLE module_targets)
  add_library(deployctl_${name} STATIC ${ARG_SOURCES})
  target_include_directories(deployctl_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(deployctl_${name} PUBLIC ${module_targets} ${ARG_PUBLIC_LIBRARIES} PRIVATE ${ARG_LIBRARIES})
endfunction()

# deployctl_unit_test(<module> SOURCES <file>… [LIBRARIES <target>…])
#
# A test binary that links its own module and nothing above it. Every *_test.cpp of the folder must be among SOURCES: a
# test that nobody builds looks like one that passes.
function(deployctl_unit_test module)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  file(GLOB tests_in_folder CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" *_test.cpp)
  list(REMOVE_ITEM tests_in_folder ${ARG_SOURCES})
  if(tests_in_folder)
    message(FATAL_ERROR "tests of '${module}' that are not built: ${tests_in_folder}")
  endif()
  add_executable(test_${module} ${ARG_SOURCES})
  target_link_libraries(test_${module} PRIVATE deployctl_${module} GTest::gmock_main ${ARG_LIBRARIES})
  target_include_directories(test_${module} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(test_${module} PRIVATE DEPLOYCTL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME unit.${module} COMMAND test_${module})
  set_tests_properties(unit.${module} PROPERTIES LABELS unit TIMEOUT ${DEPLOYCTL_TEST_SECONDS})
endfunction()
