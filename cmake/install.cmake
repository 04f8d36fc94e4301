# cmake --install build/release [--prefix DIR]: the program, its unit, its settings, its documents.
#
# With the prefix /usr everything lies where Debian has it (settings in /etc/tilld). With another
# prefix settings lie in DIR/etc/tilld and the unit is written for these paths.
install(TARGETS tilld RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE config/tilld.toml DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(script ${CMAKE_BINARY_DIR}/install_service.cmake)
configure_file(cmake/install_service.cmake.in ${script} @ONLY)
install(SCRIPT ${script})
