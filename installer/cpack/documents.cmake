# SPDX-License-Identifier: GPL-3.0-or-later
# What: writes the documents of a package (copyright, changelog, man pages) while it is being installed.
# Why here: licence texts come from the libraries that are packed, the list of commands from the tool itself.
cmake_policy(VERSION 3.25)

# One licence of a copyright file in Debian's format: its name, and the text of FILE, every line indented, empty ones as a dot.
function(qw_licence out name file)
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "The licence text of ${name} is not at '${file}': a package without it may not be passed on.")
  endif()
  file(READ "${file}" text)
  string(ASCII 12 form_feed)
  string(REGEX REPLACE "[\r${form_feed}]" "" text "${text}")
  string(REGEX REPLACE "[ \t\n]+$" "" text "${text}")
  string(REPLACE "\n" "\n " text "\n${text}")
  foreach(pass 1 2) # a match ends on the line end that the next one begins with
    string(REGEX REPLACE "\n[ \t]+\n" "\n .\n" text "${text}")
  endforeach()
  set(${out} "License: ${name}${text}\n\n" PARENT_SCOPE)
endfunction()

# qw_copyright(<target file> <first part> <name=file>…); two files of one name are one licence
function(qw_copyright target first)
  file(READ "${first}" all)
  foreach(pair ${ARGN})
    string(REGEX MATCH "^([^=]+)=(.+)$" _ "${pair}")
    qw_licence(licence "${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}")
    string(APPEND all "${licence}")
  endforeach()
  file(WRITE "${target}" "${all}")
endfunction()

function(qw_gzip source target)
  get_filename_component(folder "${target}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  execute_process(COMMAND gzip -9nc "${source}" OUTPUT_FILE "${target}" COMMAND_ERROR_IS_FATAL ANY)
  file(CHMOD "${target}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

# A man page: @VERSION@ is VERSION, @COMMANDS@ the commands that TOOL lists.
function(qw_man page target version tool)
  file(READ "${page}" text)
  string(REPLACE "@VERSION@" "${version}" text "${text}")
  if(tool)
    execute_process(COMMAND "${tool}" --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE ";" "@semicolon@" help "${help}") # it would split the list of lines
    string(REGEX MATCHALL "\n  [a-z-]+  +[^\n]+" lines "${help}")
    set(commands "")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "^\n  ([a-z-]+) +(.+)$" _ "${line}")
      string(APPEND commands ".TP\n.B ${CMAKE_MATCH_1}\n${CMAKE_MATCH_2}\n")
    endforeach()
    string(REPLACE "-" "\\-" commands "${commands}")
    string(REPLACE "@semicolon@" ";" commands "${commands}")
    string(REGEX REPLACE "\n$" "" commands "${commands}")
    string(REPLACE "@COMMANDS@" "${commands}" text "${text}")
  endif()
  file(WRITE "${target}.plain" "${text}")
  qw_gzip("${target}.plain" "${target}")
  file(REMOVE "${target}.plain")
endfunction()
